select product_id, name, kind from {{ ref('stg_products') }}
