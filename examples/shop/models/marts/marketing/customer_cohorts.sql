-- Of those who first ordered in a month, how many ordered again, so many months later?
with orders as (
    select
        orders.customer_id,
        cast({{ dbt.date_trunc('month', 'customers.first_ordered_on') }} as date) as cohort_month,
        cast(
            {{ dbt.datediff('customers.first_ordered_on', 'orders.ordered_on', 'month') }}
            as integer
        ) as months_since_first
    from {{ ref('fct_orders') }} as orders
    inner join {{ ref('dim_customers') }} as customers
        on orders.customer_id = customers.customer_id
    where not orders.is_cancelled
),

cohorts as (
    select
        cohort_month,
        count(distinct customer_id) as cohort_size
    from orders
    group by cohort_month
)

select
    orders.cohort_month,
    orders.months_since_first,
    cohorts.cohort_size,
    count(distinct orders.customer_id) as active_customers,
    {{ shop_utils.safe_divide('count(distinct orders.customer_id)', 'cohorts.cohort_size') }}
        as retention_rate
from orders
inner join cohorts on orders.cohort_month = cohorts.cohort_month
group by orders.cohort_month, orders.months_since_first, cohorts.cohort_size
