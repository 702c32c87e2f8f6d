{{ config(alias='members_clean') }}
select
    id as member_id,
    {{ catalogue_tools.clean_text('full_name') }} as full_name,
    joined_on
from {{ source('desk', 'members') }}
