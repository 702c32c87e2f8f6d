{{ config(materialized='view') }}

select
    order_id,
    count(*) as line_count,
    sum(quantity) as quantity,
    sum(gross_amount) as gross_amount,
    sum(discount_amount) as discount_amount,
    sum(net_amount) as net_amount,
    sum(cost_amount) as cost_amount,
    sum(refunded_amount) as refunded_amount
from {{ ref('int_order_lines_costed') }}
group by order_id
