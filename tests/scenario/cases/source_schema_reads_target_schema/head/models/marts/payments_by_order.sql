select
    order_id,
    count(*) as payments
from {{ source('raw', 'payments') }}
group by order_id
