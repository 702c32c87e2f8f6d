select a from {{ ref('dormant') }}
