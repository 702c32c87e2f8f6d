select # old comment
    r'\d  \'x' as a, '''it's  "x"''' as b, """a -- b
c""" as c, b"x  y" as d, rb'\x' as e, "it's" as f, 'it\'s' as g, array<int64>[1, 2] as h, struct(1 as a, 'b  c' as b) as i,
    safe_cast(a as int64) as j, date '2020-01-01' as k, a.b[offset(0)] as l, if(a > -1, 'x', "y") as m
from `my-project.data  set.t` as t, my-project.ds.t2, unnest([1, 2]) as u
where regexp_contains(a, r"it's  \"x") and b between 1 and -2 -- end
