select
    sum(amount) as revenue,
    count(*) AS orders
from {{ ref('fct_orders') }}
