{# Giving a branch the rows of production, for what a build goes on from. One transaction. #}

{# `copies`: [{id, database, schema, name, to, to_name}]: the branch's table `to`.`to_name` becomes a copy of the table
   `schema`.`name`, whatever it was before. What production does not have is left out of the answer.
   -> {cloned: [id], left: [{id, why}]} #}
{% macro clone_relations(copies) %}
  {{- return(offshoot.implementation('clone_relations')(copies)) -}}
{% endmacro %}

{% macro default__clone_relations(copies) %}{{- offshoot.unsupported() -}}{% endmacro %}

{# --- PostgreSQL #}

{% macro postgres__clone_relations(copies) %}
  {%- do offshoot.rows_of("set local search_path = ''") -%}
  {%- set facts = offshoot.relation_facts(copies) -%}
  {%- set unlike = offshoot.uncopyable(facts, 'in production') -%}
  {%- set cloned, left = [], [] -%}
  {%- for copy in copies -%}
    {%- for fact in facts if fact.schema == copy.schema and fact.name == copy.name -%}
      {%- set why = 'it is no table in production' if fact.kind != 'r'
          else unlike.get(fact.oid) or offshoot.place_table(fact, {'schema': copy.to, 'name': copy.to_name}, replace=true) -%}
      {%- if why -%}
        {%- do left.append({'id': copy.id, 'why': why}) -%}
      {%- else -%}
        {%- do cloned.append(copy.id) -%}
      {%- endif -%}
    {%- endfor -%}
  {%- endfor -%}
  {{- return({'cloned': cloned, 'left': left}) -}}
{% endmacro %}

{# --- DuckDB #}

{% macro duckdb__clone_relations(copies) %}
  {%- set cloned, left = [], [] -%}
  {%- for copy in copies -%}
    {%- set why = offshoot.copy_duckdb_table(copy.database, copy, 'in production', 'in the branch')
        if offshoot.duckdb_has(copy.database, copy.schema, copy.name) else none -%}
    {%- if why -%}
      {%- do left.append({'id': copy.id, 'why': why}) -%}
    {%- elif why is not none -%}
      {%- do cloned.append(copy.id) -%}
    {%- endif -%}
  {%- endfor -%}
  {{- return({'cloned': cloned, 'left': left}) -}}
{% endmacro %}

{% macro duckdb_has(database, schema, name) %}
  {%- set sql -%}
    select 1 as one from information_schema.tables
    where table_catalog = {{ offshoot.quoted_text(database) }} and lower(table_schema) = lower({{ offshoot.quoted_text(schema) }})
      and lower(table_name) = lower({{ offshoot.quoted_text(name) }})
  {%- endset -%}
  {{- return(offshoot.rows_of(sql) | length > 0) -}}
{% endmacro %}
