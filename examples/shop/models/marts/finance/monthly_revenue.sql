with monthly as (
    select
        dates.month_start,
        sum(daily_sales.order_count) as order_count,
        sum(daily_sales.revenue) as revenue,
        sum(daily_sales.cost_amount) as cost_amount
    from {{ ref('fct_daily_sales') }} as daily_sales
    inner join {{ ref('dim_dates') }} as dates
        on daily_sales.sold_on = dates.date_day
    group by dates.month_start
)

select
    month_start,
    order_count,
    revenue,
    cost_amount,
    {{ margin_rate('revenue', 'cost_amount') }} as margin_rate,
    {{ shop_utils.safe_divide('revenue', 'lag(revenue) over (order by month_start)') }} - 1
        as revenue_growth
from monthly
