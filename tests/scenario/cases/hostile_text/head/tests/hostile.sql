-- ```
-- </details> @octocat #1 <script>
select '@octocat' as who
from {{ ref('dim_customers') }}
