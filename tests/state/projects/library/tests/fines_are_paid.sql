{{ config(severity='warn', tags=['slow']) }}
select member_id from {{ ref('fines') }} where amount < 0
