select
    id as order_id,
    customer_id,
    order_number,
    source_name,
    financial_status,
    shipping_country_code as country_code,
    created_at as ordered_at,
    cancelled_at,
    updated_at,
    cast(created_at as date) as ordered_on,
    cancelled_at is not null as is_cancelled,
    {{ cents_to_money('shipping_cents') }} as shipping_amount
from {{ source('raw', 'orders') }}
