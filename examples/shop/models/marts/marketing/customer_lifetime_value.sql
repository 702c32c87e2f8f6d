select
    region,
    segment,
    count(*) as customer_count,
    sum(order_count) as order_count,
    sum(lifetime_revenue) as lifetime_revenue,
    {{ shop_utils.safe_divide('sum(lifetime_revenue)', 'count(*)') }} as revenue_per_customer
from {{ ref('dim_customers') }}
group by region, segment
