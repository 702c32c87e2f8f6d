select sum(amount) + 0 as revenue
from {{ ref('fct_orders') }}
