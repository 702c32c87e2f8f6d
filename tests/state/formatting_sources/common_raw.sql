select
    {% raw %}'{{ not jinja }}  {% nor this %}' as a{% endraw %},
    {{ dbt_utils.pivot('x', ["it", 'b  c'], agg='max', prefix="p_") }},
    '{# gone #}kept  {{ var("a  b", 'c') }}' as b,
    a.b + c * (d - 1) / 2 % 3 as e, x || 'y' || z as w, not f as g
from {{ source('raw', 'events') }} as t {# who knows #} join {{ ref('a') }} using (id)
{% call statement('s', fetch_result=True) %} select  1 {% endcall %}
{% filter upper %}where  t.x is not null{% endfilter %} -- noqa: LT01
