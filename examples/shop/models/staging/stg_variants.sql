select
    id as variant_id,
    product_id,
    sku,
    title as variant_title,
    updated_at,
    {{ cents_to_money('price_cents') }} as price,
    {{ cents_to_money('cost_cents') }} as unit_cost
from {{ source('raw', 'variants') }}
