select order_log.order_id
from {{ ref('order_log') }} as order_log
inner join {{ ref('fct_orders') }} as fct_orders
    on order_log.order_id = fct_orders.order_id
where order_log.amount <> fct_orders.amount
