select /*+ BROADCAST(t), REPARTITION(3) */ `a  b`.`c` as a, "it's  x" as b, 'don"t  y' as c, r'\d  x' as d, x'1F' as e,
    a:b.c::string as f, transform(l, x -> x + 1) as g, 1L as h, 2.5BD as i, a <=> b as j, 'a\\b  c' as k, a.b[0] as l, 'x'
    'y' as m, named_struct('a', 1, "b", 'c  d') as n /* block */
from t lateral view explode(l) e as x -- it's the end
where a rlike '^x  y$' and b div 2 = 1 and c != - 1
