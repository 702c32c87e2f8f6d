select # old comment
    `a  b`.`c` as a, "it's  x" as b, 'don''t  y' as c, count(*) as n, a --1 as d, _utf8'x  y' as e, @v := @v + 1 as f,
    if (a = 1, 'x', "y") as g, j->'$.a' as h, j->>'$.b  c' as i, x'1F' as k, 'a' 'b' as l /* block */, a - -1 as m
from t straight_join s -- it's the end
where a <=> b and c is not null and d like '%x  y%' && e || f
limit 5, 10
