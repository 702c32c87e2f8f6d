select
    id as fulfilment_id,
    order_id,
    status,
    carrier,
    shipped_at,
    delivered_at,
    updated_at
from {{ source('raw', 'fulfilments') }}
