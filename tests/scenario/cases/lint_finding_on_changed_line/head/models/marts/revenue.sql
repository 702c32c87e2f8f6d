select
    sum(amount) AS revenue,
    max(amount) AS largest,
    count(*) as orders
from {{ ref('fct_orders') }}
