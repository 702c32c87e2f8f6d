select
    id as order_line_id,
    order_id,
    variant_id,
    quantity,
    {{ cents_to_money('unit_price_cents') }} as unit_price,
    {{ cents_to_money('discount_cents') }} as discount_amount,
    {{ line_amount('quantity', 'unit_price_cents') }} as gross_amount,
    {{ line_amount('quantity', 'unit_price_cents', 'discount_cents') }} as net_amount
from {{ source('raw', 'order_lines') }}
