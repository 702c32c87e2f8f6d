select sum(amount) * 2 as revenue
from {{ ref('fct_orders') }}
