{{ config(materialized='view', persist_docs={'relation': true, 'columns': true}) }}
select countries.country, sum(orders.amount) as amount, max(orders.version) as version
from {{ ref('orders') }} as orders
join {{ ref('countries') }} as countries on countries.code = orders.code
group by countries.country
