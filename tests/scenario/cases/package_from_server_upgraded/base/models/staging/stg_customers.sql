select
    customer_id,
    {{ helpers.tidy('customer_name') }} as customer_name
from {{ ref('customers') }}
