select
    loan_id,
    member_id,
    {{ late_days('due_on', 'returned_on') }} as days_late
from {{ ref('stg_loans') }}
where {{ is_overdue('due_on', 'returned_on') }}
