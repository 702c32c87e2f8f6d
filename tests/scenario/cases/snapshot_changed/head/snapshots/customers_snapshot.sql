{% snapshot customers_snapshot %}
{{ config(unique_key='customer_id', strategy='check', check_cols=['customer_name'], schema='snapshots') }}
select * from {{ ref('customers') }}
{% endsnapshot %}
