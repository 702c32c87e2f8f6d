select book_id, languages.name as language
from {{ ref('stg_books') }}
cross join {{ ref('catalogue_tools', 'languages') }} as languages
