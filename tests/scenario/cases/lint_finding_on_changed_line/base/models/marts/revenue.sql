select
    SUM(amount) as revenue
from {{ ref('fct_orders') }}
