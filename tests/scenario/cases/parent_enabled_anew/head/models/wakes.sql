select * from {{ ref('dormant') }}
