{{ config(materialized='incremental', unique_key='order_id') }}
select
    order_id,
    amount
from {{ ref('fct_orders') }}
{% if is_incremental() %}
where order_id > (select max(seen.order_id) from {{ this }} as seen)
{% endif %}
