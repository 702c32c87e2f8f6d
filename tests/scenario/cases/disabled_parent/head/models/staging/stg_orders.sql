{{ config(enabled=false) }}
-- One row per order.
select
    order_id,
    customer_id,
    {{ money('amount_cents') }} as amount
from {{ ref('orders') }}
