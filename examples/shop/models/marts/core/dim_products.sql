-- One row per variant: it is the variant that is priced, stocked and sold.
select
    variants.variant_id,
    variants.product_id,
    variants.sku,
    products.product_title,
    variants.variant_title,
    products.product_type,
    products.vendor,
    variants.price,
    variants.unit_cost,
    products.status = 'active' as is_active,
    {{ margin_rate('variants.price', 'variants.unit_cost') }} as margin_rate
from {{ ref('stg_variants') }} as variants
inner join {{ ref('stg_products') }} as products
    on variants.product_id = products.product_id
