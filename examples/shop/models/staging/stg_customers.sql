select
    id as customer_id,
    first_name,
    last_name,
    country_code,
    accepts_marketing,
    created_at,
    updated_at,
    lower(email) as email
from {{ source('raw', 'customers') }}
