{% snapshot snap_people %}
{{ config(target_schema='history', unique_key='id', strategy='check', check_cols=['name']) }}
select id, name from {{ ref('base_people') }}
{% endsnapshot %}
{% snapshot snap_new %}
{{ config(unique_key='id', schema='snaps', strategy='check', check_cols=['name']) }}
select id, name from {{ ref('base_people') }}
{% endsnapshot %}
