-- What the snapshot saw: each price of each variant, with the one before it.
select
    variant_id,
    sku,
    price,
    dbt_valid_from as valid_from,
    dbt_valid_to as valid_to,
    lag(price) over (partition by variant_id order by dbt_valid_from) as previous_price,
    dbt_valid_to is null as is_current
from {{ ref('variant_prices') }}
