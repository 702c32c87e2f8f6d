{% snapshot price_history %}
    {{ config(unique_key='product_id', strategy='check', check_cols=['price']) }}
    select product_id, {{ function('rounded_price') }}(price) as price from {{ ref('stg_products') }}
{% endsnapshot %}
