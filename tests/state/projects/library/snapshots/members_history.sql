{% snapshot members_history %}
    {{ config(unique_key='member_id', strategy='check', check_cols=['full_name']) }}
    select * from {{ ref('stg_members') }}
{% endsnapshot %}
