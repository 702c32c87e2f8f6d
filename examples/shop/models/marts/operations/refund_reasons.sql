select
    products.product_type,
    refunds.reason,
    count(*) as refund_count,
    sum(refunds.refunded_amount) as refunded_amount,
    {{ shop_utils.safe_divide('sum(refunds.days_after_order)', 'count(*)') }}
        as average_days_after_order
from {{ ref('fct_refunds') }} as refunds
inner join {{ ref('dim_products') }} as products
    on refunds.variant_id = products.variant_id
group by products.product_type, refunds.reason
