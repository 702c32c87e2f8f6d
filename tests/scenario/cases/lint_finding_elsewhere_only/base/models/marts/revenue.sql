select
    sum(amount) AS revenue
from {{ ref('fct_orders') }}
