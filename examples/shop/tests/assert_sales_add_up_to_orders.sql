-- The lines of an order, as fct_sales has them, come to what fct_orders says.
with sales as (
    select
        order_id,
        sum(net_amount) as net_amount
    from {{ ref('fct_sales') }}
    group by order_id
)

select
    orders.order_id,
    orders.net_amount,
    sales.net_amount as sold_amount
from {{ ref('fct_orders') }} as orders
left join sales on orders.order_id = sales.order_id
where
    not orders.is_cancelled
    and orders.net_amount != coalesce(sales.net_amount, 0)
