select member_id, count(*) from {{ ref('loans') }} group by member_id order by 2 desc
