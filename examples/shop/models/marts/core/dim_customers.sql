-- One row per customer, whether they ever ordered or not.
with customers as (
    select * from {{ ref('stg_customers') }}
),

customer_orders as (
    select * from {{ ref('int_customer_orders') }}
),

countries as (
    select * from {{ ref('countries') }}
)

select
    customers.customer_id,
    customers.email,
    customers.first_name,
    customers.last_name,
    customers.country_code,
    countries.country_name,
    countries.region,
    customers.accepts_marketing,
    customers.created_at,
    customer_orders.first_ordered_on,
    customer_orders.last_ordered_on,
    coalesce(customer_orders.order_count, 0) as order_count,
    coalesce(customer_orders.lifetime_revenue, 0) as lifetime_revenue,
    case
        when customer_orders.order_count is null then 'prospect'
        when customer_orders.order_count = 1 then 'new'
        when customer_orders.order_count < 5 then 'returning'
        else 'loyal'
    end as segment
from customers
left join customer_orders on customers.customer_id = customer_orders.customer_id
left join countries on customers.country_code = countries.country_code
