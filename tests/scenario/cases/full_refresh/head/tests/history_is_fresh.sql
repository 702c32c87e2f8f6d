select was_incremental
from {{ ref('history') }}
where was_incremental
