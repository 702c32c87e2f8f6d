{{ config(materialized='view') }}
select
    order_id,
    amount * 2 as amount
from {{ ref('order_log') }}
