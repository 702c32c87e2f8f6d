-- One row per order, the cancelled ones too.
with orders as (
    select * from {{ ref('stg_orders') }}
),

totals as (
    select * from {{ ref('int_order_totals') }}
),

channels as (
    select * from {{ ref('channels') }}
)

select
    orders.order_id,
    orders.order_number,
    orders.customer_id,
    channels.channel,
    orders.country_code,
    orders.financial_status,
    orders.is_cancelled,
    orders.ordered_at,
    orders.ordered_on,
    totals.line_count,
    totals.quantity,
    totals.gross_amount,
    totals.discount_amount,
    totals.net_amount,
    orders.shipping_amount,
    totals.refunded_amount,
    totals.net_amount + orders.shipping_amount as order_amount,
    row_number() over (
        partition by orders.customer_id
        order by orders.ordered_at, orders.order_id
    ) as customer_order_number
from orders
inner join totals on orders.order_id = totals.order_id
inner join channels on orders.source_name = channels.source_name
