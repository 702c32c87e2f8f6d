{#- Sums by channel. -#}
{{ config(materialized='table', tags=['daily', 'core'], post_hook="analyze {{ this }} -- it's done") }}
-- depends_on: {{ ref('channels') }}
{% set channels = ['web', 'app'] -%}
{%- set label %} sum  of {% endset %}
with orders as (
    select order_id, amount, channel, -1 as sign, 1.5e-3 as rate, 'it''s -- no comment' as note
    from {{ ref('orders') }}
    where amount >= 0 and channel <> 'x'  -- don't count tests
    {% if is_incremental() -%}
        and updated_at > (select max(updated_at) from {{ this }})
    {%- endif %}
)

select
    order_id as "Order  id",
    {% for channel in channels %}
    sum(case when channel = '{{ channel }}' then amount - -1 else 0 end) as {{ channel }}_amount{% if not loop.last %},{% endif %}
    {% endfor %}
    /* all of them */
    , count(*) as n, '{{ label }}' as label
from orders
group by 1
{{ limit_if_dev() }}
