{{ config(enabled=false, schema='marts') }}
select 1 as id
