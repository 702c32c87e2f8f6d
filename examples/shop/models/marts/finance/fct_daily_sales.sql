{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['sold_on', 'channel'],
        on_schema_change='append_new_columns',
    )
}}

-- Refunds count on the day of the sale, so each run writes the last days again.
select
    sold_on,
    channel,
    count(distinct order_id) as order_count,
    sum(quantity) as quantity,
    sum(net_amount) as net_amount,
    sum(refunded_amount) as refunded_amount,
    sum(revenue) as revenue,
    sum(cost_amount) as cost_amount
from {{ ref('fct_sales') }}
{% if is_incremental() %}
    where sold_on >= (
        select {{ dbt.dateadd('day', -var('lookback_days'), 'max(sold_on)') }} from {{ this }}
    )
{% endif %}
group by sold_on, channel
