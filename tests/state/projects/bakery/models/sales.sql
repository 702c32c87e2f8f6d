select
    sales.sale_id,
    sales.product_id,
    sales.sold_on,
    sales.quantity,
    cast(sales.quantity * sales.price as decimal(12, 2)) as amount
from {{ ref('stg_sales') }} as sales
inner join {{ ref('products', v=2) }} as products on products.product_id = sales.product_id
