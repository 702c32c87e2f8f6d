-- Nobody gets back more than they paid.
select
    order_line_id,
    net_amount,
    refunded_amount
from {{ ref('fct_sales') }}
where refunded_amount > net_amount
