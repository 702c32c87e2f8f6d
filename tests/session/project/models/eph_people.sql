{{ config(materialized='ephemeral') }}
select id, upper(name) as name, country from {{ ref('base_people') }}
