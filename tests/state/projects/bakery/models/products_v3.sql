{{ config(materialized='view') }}
select product_id, name, kind, price, kind = 'cake' as is_cake from {{ ref('stg_products') }}
