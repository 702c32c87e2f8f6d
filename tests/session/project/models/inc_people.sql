{{ config(materialized='incremental', unique_key='id', schema='Loud Marts') }}
select id, name from {{ ref('base_people') }}
{% if is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}
