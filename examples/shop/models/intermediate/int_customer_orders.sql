{{ config(materialized='view') }}

-- Customers who never ordered are not here. Cancelled orders do not count.
select
    orders.customer_id,
    count(*) as order_count,
    min(orders.ordered_on) as first_ordered_on,
    max(orders.ordered_on) as last_ordered_on,
    sum(totals.net_amount - totals.refunded_amount) as lifetime_revenue
from {{ ref('stg_orders') }} as orders
inner join {{ ref('int_order_totals') }} as totals
    on orders.order_id = totals.order_id
where not orders.is_cancelled
group by orders.customer_id
