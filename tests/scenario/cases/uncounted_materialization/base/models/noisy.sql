{{ config(materialized='noisy_table') }}
select 1 as a
