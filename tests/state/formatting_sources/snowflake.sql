select $1, t.$2:name::string as n, 'it\'s  \\' as a, $$ it's  raw $$ as b, "Q  n" as q, v:a.b[0]['c  d'] as c // old style
    , a / b as d, a - -b as e, iff(a = 1, 'x', 'y') as f /* block ' */, array_agg(x) within group (order by y) as g
from @{{ target.name }}.stage/path-a/b (file_format => 'csv') as t, table(flatten(input => v)) as f
where a != b and c ilike '%x%' -- done
qualify row_number() over (partition by a order by b desc) = 1
