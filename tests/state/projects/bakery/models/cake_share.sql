{{ config(materialized='ephemeral') }}
select sold_on, count(*) filter (where products.is_cake) / count(*) as share
from {{ ref('sales') }} as sales
inner join {{ ref('products', v=3) }} as products using (product_id)
group by sold_on
