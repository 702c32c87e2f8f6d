select
    id as refund_id,
    order_line_id,
    quantity,
    reason,
    created_at as refunded_at,
    cast(created_at as date) as refunded_on,
    {{ cents_to_money('amount_cents') }} as refunded_amount
from {{ source('raw', 'refunds') }}
