select top 5 [a  b].[c]]d] as a, "Q  n" as q, N'it''s  x' as b, @v as c, x = a + 1, a % 2 as d, [it's] as e, 0x1F as f,
    a -- trailing it's
    , cast(a as nvarchar(max)) as g /* outer /* inner */ still */, b - -1 as h, 'a' + 'b  c' as i, $1.50 as j
from #tmp t with (nolock) cross apply openjson(t.j, '$.a  b') as k, ##global
where a <> 'x' and b !< 3 and c is not null
option (hash join)
