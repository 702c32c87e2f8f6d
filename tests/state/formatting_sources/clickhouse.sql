select `a  b` as a, "Q  n" as q, 'it\'s  \\' as b, $h$ it's  x $h$ as c, arrayMap(x -> x + 1, [1, 2]) as d, t.1 as e, a.b as f,
    {p:UInt8} as g, 'it''s' as h, a ? b : c as i, 1e-5 as j, toDate('2020-01-01') as k, (1, 'x  y') as l /* block */, a == b as m
from db.t array join l as x -- it's the end
where a != - 1 and b not in (1, 2) and c like '%x  y%'
