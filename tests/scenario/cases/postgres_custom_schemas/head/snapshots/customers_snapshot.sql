{% snapshot customers_snapshot %}
{{ config(unique_key='customer_id', strategy='check', check_cols='all', schema='snapshots') }}
select customer_id, customer_name from {{ ref('customers') }}
{% endsnapshot %}
