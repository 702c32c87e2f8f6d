{% materialization noisy_table, adapter='duckdb' %}
  {%- set relation = this.incorporate(type='table') -%}
  {% call statement('main') -%}
    create table {{ relation }} as ({{ noisy_sql(sql) }})
  {%- endcall %}
  {{ return({'relations': [relation]}) }}
{% endmaterialization %}
