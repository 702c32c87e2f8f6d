select loans.loan_id
from {{ ref('loans') }} as loans
inner join {{ ref('stg_books') }} as books on books.book_id = loans.book_id
where books.is_lost and {{ is_overdue('loans.due_on', 'loans.returned_on') }}
