{{ config(materialized='view') }}
select * from {{ ref('mart_people') }}
