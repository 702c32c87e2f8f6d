select
    products.variant_id,
    products.sku,
    products.product_title,
    products.variant_title,
    products.product_type,
    coalesce(sum(sales.quantity), 0) as sold_quantity,
    coalesce(sum(sales.revenue), 0) as revenue,
    {{ margin_rate('sum(sales.revenue)', 'sum(sales.cost_amount)') }} as margin_rate,
    {{ shop_utils.safe_divide('sum(sales.refunded_quantity)', 'sum(sales.quantity)') }}
        as return_rate
from {{ ref('dim_products') }} as products
left join {{ ref('fct_sales') }} as sales
    on products.variant_id = sales.variant_id
group by
    products.variant_id,
    products.sku,
    products.product_title,
    products.variant_title,
    products.product_type
