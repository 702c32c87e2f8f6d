-- depends_on: {{ ref('closing_days') }}
select
    member_id,
    sum({{ fine('days_late') }}) as amount
from {{ ref('int_late_loans') }}
group by member_id
