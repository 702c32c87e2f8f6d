with days as (
    {{ shop_utils.days_from_to(var('first_day'), var('last_day')) }}
)

select
    date_day,
    {{ shop_utils.day_name('date_day') }} as day_name,
    cast(extract(isodow from date_day) as integer) as day_of_week,
    cast(extract(week from date_day) as integer) as iso_week,
    cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_start,
    cast({{ dbt.date_trunc('quarter', 'date_day') }} as date) as quarter_start,
    cast(extract(year from date_day) as integer) as calendar_year,
    extract(isodow from date_day) >= 6 as is_weekend
from days
