select U&'d\0061t  a' as a, U&"q\0061  b" as b, 'it''s  x' as c, 'a\' as d, "Q  n" as q, x'1F' as e, decimal '1.5' as f,
    transform(l, x -> x + 1) as g, array[1, 2][1] as h, map(array['a  b'], array[1]) as i, a || 'b' as j, 1e-5 as k,
    cast(row(1, 'x  y') as row(a bigint, b varchar)) as l, date '2020-01-01' - interval '1' day as m /* block */
from catalog.s.t cross join unnest(l) as u (x) -- it's the end
where a <> - 1 and b between 1 and 2 and c like '%x!_%' escape '!'
