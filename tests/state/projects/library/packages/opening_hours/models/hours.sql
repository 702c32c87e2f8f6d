select day, {{ opening_hours.opens_at('day') }} as opens
from {{ ref('weekdays') }}
