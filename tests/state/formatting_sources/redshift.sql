select 'it''s  a' as a, "Q  n" as q, a::varchar(10) as b, json_extract_path_text(x, 'a  b') as c, $$x  y$$ as d, #tmp.a,
    a || 'x' as e, dateadd(day, -1, b) as f, a - - 1 as g /* block */, listagg(a, ',  ') within group (order by b) as h
from #tmp join s.t on #tmp.a = t.a and t.b <> 'c  d' -- end
where a similar to '%(x|y)%' and b >= 1e-5
