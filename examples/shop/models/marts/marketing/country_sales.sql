select
    countries.country_code,
    countries.country_name,
    countries.region,
    count(distinct sales.order_id) as order_count,
    count(distinct sales.customer_id) as customer_count,
    coalesce(sum(sales.revenue), 0) as revenue
from {{ ref('countries') }} as countries
left join {{ ref('fct_sales') }} as sales
    on countries.country_code = sales.country_code
group by countries.country_code, countries.country_name, countries.region
