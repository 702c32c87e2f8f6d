{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='fulfilment_id',
        on_schema_change='append_new_columns',
    )
}}

-- One row per parcel. A parcel changes until it has arrived, so it is written again when it does.
select
    fulfilments.fulfilment_id,
    fulfilments.order_id,
    fulfilments.status,
    fulfilments.carrier,
    orders.country_code,
    orders.ordered_at,
    fulfilments.shipped_at,
    fulfilments.delivered_at,
    fulfilments.updated_at,
    cast(
        {{ dbt.datediff('orders.ordered_at', 'fulfilments.shipped_at', 'hour') }}
        as integer
    ) as hours_to_ship,
    cast(
        {{ dbt.datediff('fulfilments.shipped_at', 'fulfilments.delivered_at', 'hour') }}
        as integer
    ) as hours_to_deliver
from {{ ref('stg_fulfilments') }} as fulfilments
inner join {{ ref('stg_orders') }} as orders
    on fulfilments.order_id = orders.order_id
{% if is_incremental() %}
    where fulfilments.updated_at >= (
        select max(written.updated_at) from {{ this }} as written
    )
{% endif %}
