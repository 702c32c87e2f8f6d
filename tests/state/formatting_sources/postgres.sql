select E'a\'b  c' as a, U&'d\0061t  a' as b, $$it's  "x"$$ as c, $fn$ -- not a comment
    $fn$ as d, 'one'  -- goes on
    'two' as joined, x::numeric(10, 2) as e, j->'a'->>'b  c' as f, arr[1:2] as g, a @> b as h, a ~* 'x  y' as i,
    /* outer /* inner */ still */ B'01' as k, "Weird ""name""  " as l, a <-> b as m, 5 ! = 6 as n, @ -5 as o, x'1F' as p
from t, lateral (select 1) as s(x)
where a = any (array['b  c', 'd']) and p is not distinct from - 1;
