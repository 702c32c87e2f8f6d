-- A line can be sent back piece by piece, so it may have several refunds.
select
    order_line_id,
    sum(quantity) as refunded_quantity,
    sum(refunded_amount) as refunded_amount
from {{ ref('stg_refunds') }}
group by order_line_id
