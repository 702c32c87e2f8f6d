select product_id, name, kind, price from {{ ref('stg_products') }}
