select sold_on, sum(amount) as revenue
from {{ ref('sales') }}
left join {{ ref('old_tills') }} as old on old.day = sold_on
group by sold_on
