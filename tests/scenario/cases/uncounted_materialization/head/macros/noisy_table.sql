{% materialization noisy_table, adapter='duckdb' %}
  {%- set relation = this.incorporate(type='table') -%}
  {% call statement('main') -%}
    create or replace table {{ relation }} as ({{ noisy_sql(sql) }})
  {%- endcall %}
  {{ return({'relations': [relation]}) }}
{% endmaterialization %}
