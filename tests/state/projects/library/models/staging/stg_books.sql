select
    id as book_id,
    {{ catalogue_tools.clean_text('title') }} as title,
    shelf in ({{ shelf_marks() }}) as is_on_shelf,
    lost_on is not null as is_lost
from {{ source('desk', 'books') }}
