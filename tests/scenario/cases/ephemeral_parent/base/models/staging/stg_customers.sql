{{ config(materialized='ephemeral') }}
select
    customer_id,
    customer_name
from {{ ref('customers') }}
