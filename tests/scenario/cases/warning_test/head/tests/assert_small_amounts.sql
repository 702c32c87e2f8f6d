{{ config(severity='warn') }}
select order_id
from {{ ref('fct_orders') }}
where amount > 20
