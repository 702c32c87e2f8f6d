{{ config(materialized='incremental') }}
select {{ is_incremental() | lower }} as was_incremental
