select /* a /* nested */ comment */
    e'it\'s  \\' as a, $tag$ it's $$  a $tag$ as b, 'a\' as c, [1, 2, 3][1] as d, {'k': 'v  w'} as s,
    list_transform([1, 2], x -> x + 1) as l, 1_000 as n, a::int as m, b // 2 as q, 'x' as "a ""b""  c",
    columns('a.*'), 'one'
    'two' as j, #1, t.*
from 'data  file.csv' as t, read_csv('x', delim => ';')
where a !~~ 'b%' and c ->> '$.d' = 'e' and f between -1 and - 2 -- end
