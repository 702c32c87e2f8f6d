-- One row per order, in the shop's currency.
select
    order_id,

    customer_id,
    {{ money('amount_cents') }} as amount
from {{ ref('orders') }}
