{{ config(materialized='incremental', unique_key='loan_id') }}
select
    loans.*,
    members.full_name,
    {{ days_between('loans.lent_on', 'loans.due_on') }} as allowed_days
from {{ ref('stg_loans') }} as loans
left join {{ ref('stg_members') }} as members on members.member_id = loans.member_id
{% if is_incremental() %}
where loans.lent_on >= (select max(lent_on) from {{ this }})
{% endif %}
