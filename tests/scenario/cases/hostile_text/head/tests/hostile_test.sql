-- ```
-- </details> @octocat #1 <script>
/*
::notice::evil
##[group]evil
*/
select '@octocat' as who
from {{ ref('dim_customers') }}
