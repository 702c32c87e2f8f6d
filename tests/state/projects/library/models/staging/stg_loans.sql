{{ config(tags=['nightly'], pre_hook="select 1 -- before") }}
select
    id as loan_id,
    book_id,
    member_id,
    lent_on,
    due_on,
    returned_on
from {{ source('desk', 'loans') }}
