select id as product_id, name, kind, price from {{ source('till', 'products') }}
