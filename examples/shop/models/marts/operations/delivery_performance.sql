select
    carrier,
    country_code,
    count(*) as parcel_count,
    count(case when status = 'lost' then 1 end) as lost_count,
    {{ shop_utils.safe_divide('sum(hours_to_ship)', 'count(hours_to_ship)') }}
        as average_hours_to_ship,
    {{ shop_utils.safe_divide('sum(hours_to_deliver)', 'count(hours_to_deliver)') }}
        as average_hours_to_deliver
from {{ ref('fct_fulfilments') }}
group by carrier, country_code
