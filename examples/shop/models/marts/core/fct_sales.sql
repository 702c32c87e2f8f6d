-- One row per order line that was sold. Cancelled orders are no sales; see fct_orders for them.
with order_lines as (
    select * from {{ ref('int_order_lines_costed') }}
),

orders as (
    select * from {{ ref('stg_orders') }}
    where not is_cancelled
),

channels as (
    select * from {{ ref('channels') }}
)

select
    order_lines.order_line_id,
    order_lines.order_id,
    orders.customer_id,
    order_lines.product_id,
    order_lines.variant_id,
    channels.channel,
    orders.country_code,
    orders.ordered_at as sold_at,
    orders.ordered_on as sold_on,
    order_lines.quantity,
    order_lines.unit_price,
    order_lines.gross_amount,
    order_lines.discount_amount,
    order_lines.net_amount,
    order_lines.cost_amount,
    order_lines.refunded_quantity,
    order_lines.refunded_amount,
    order_lines.net_amount - order_lines.refunded_amount as revenue
from order_lines
inner join orders on order_lines.order_id = orders.order_id
inner join channels on orders.source_name = channels.source_name
