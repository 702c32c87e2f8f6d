{{ config(tags=['nightly', 'raw']) }}
select
    id as sale_id,
    product_id,
    cast(rung_at as date) as sold_on,
    quantity,
    {{ function('net_of_tax') }}(price) as price
from {{ source('till', 'sales') }}
