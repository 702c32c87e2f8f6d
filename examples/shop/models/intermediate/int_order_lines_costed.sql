-- Order lines with what the goods cost us and what was paid back.
select
    order_lines.order_line_id,
    order_lines.order_id,
    order_lines.variant_id,
    variants.product_id,
    order_lines.quantity,
    order_lines.unit_price,
    order_lines.gross_amount,
    order_lines.discount_amount,
    order_lines.net_amount,
    order_lines.quantity * variants.unit_cost as cost_amount,
    coalesce(refunds.refunded_quantity, 0) as refunded_quantity,
    coalesce(refunds.refunded_amount, 0) as refunded_amount
from {{ ref('stg_order_lines') }} as order_lines
inner join {{ ref('stg_variants') }} as variants
    on order_lines.variant_id = variants.variant_id
left join {{ ref('int_refunds_by_line') }} as refunds
    on order_lines.order_line_id = refunds.order_line_id
