-- One row per refund.
select
    refunds.refund_id,
    refunds.order_line_id,
    order_lines.order_id,
    orders.customer_id,
    order_lines.variant_id,
    refunds.reason,
    refunds.refunded_at,
    refunds.refunded_on,
    refunds.quantity,
    refunds.refunded_amount,
    {{ dbt.datediff('orders.ordered_at', 'refunds.refunded_at', 'day') }}
        as days_after_order
from {{ ref('stg_refunds') }} as refunds
inner join {{ ref('stg_order_lines') }} as order_lines
    on refunds.order_line_id = order_lines.order_line_id
inner join {{ ref('stg_orders') }} as orders
    on order_lines.order_id = orders.order_id
