select
    orders.order_id,
    orders.amount,
    customers.customer_name
from {{ ref('stg_orders') }} as orders
left join {{ ref('stg_people') }} as customers
    on orders.customer_id = customers.customer_id
