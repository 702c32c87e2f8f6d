select
    id as product_id,
    title as product_title,
    product_type,
    vendor,
    status,
    created_at,
    updated_at
from {{ source('raw', 'products') }}
