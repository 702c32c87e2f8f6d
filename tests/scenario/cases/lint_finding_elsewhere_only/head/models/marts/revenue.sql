select
    sum(amount) AS revenue,
    count(*) as orders
from {{ ref('fct_orders') }}
where amount > 0
