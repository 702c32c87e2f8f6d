{# Runs one statement inside the transaction that the caller holds open, and returns its rows as dicts. #}
{% macro rows_of(sql) %}
  {%- set response, table = adapter.execute(sql, auto_begin=true, fetch=true) -%}
  {%- set found = [] -%}
  {%- for row in table.rows -%}
    {%- set item = {} -%}
    {%- for column in table.column_names -%}{%- do item.update({column: row[column]}) -%}{%- endfor -%}
    {%- do found.append(item) -%}
  {%- endfor -%}
  {{- return(found) -}}
{% endmacro %}

{# The macro of that name for this adapter. Redshift would find PostgreSQL's, which were never tried on it. #}
{% macro implementation(name) %}
  {%- if adapter.type() == 'redshift' -%}
    {{- return(offshoot.unsupported) -}}
  {%- endif -%}
  {#- Not adapter.dispatch(name) in one: dbt's parser reads the arguments of such calls and wants literals there. -#}
  {%- set dispatch = adapter.dispatch -%}
  {{- return(dispatch(name)) -}}
{% endmacro %}

{% macro unsupported() %}
  {%- do exceptions.raise_compiler_error(
    "offshoot: branches are not supported on " ~ adapter.type() ~ " yet; DuckDB and PostgreSQL are") -%}
  {{- kwargs -}}{{- varargs -}}
{% endmacro %}

{# For `dbt run-operation offshoot_call --args '{macro: ..., args: {...}}'`, where dbt is only a command:
   runs one of the macros below in a transaction and logs its value as one line OFFSHOOT_RESULT <json>. #}
{% macro offshoot_call(macro, args={}) %}
  {%- if execute -%}
    {%- set known = {
      'create_branch': offshoot.create_branch,
      'list_branches': offshoot.list_branches,
      'branch_dependents': offshoot.branch_dependents,
      'drop_branch': offshoot.drop_branch,
      'create_database_mark': offshoot.create_database_mark,
      'read_database_mark': offshoot.read_database_mark,
      'write_privileges': offshoot.write_privileges,
      'clone_relations': offshoot.clone_relations,
      'copy_relations': offshoot.copy_relations,
      'promote_relations': offshoot.promote_relations,
      'exchange_relations': offshoot.exchange_relations,
      'drop_removed_relations': offshoot.drop_removed_relations,
      'droppable_schemas': offshoot.droppable_schemas,
    } -%}
    {%- if macro not in known -%}
      {%- do exceptions.raise_compiler_error("offshoot: no macro '" ~ macro ~ "' to call") -%}
    {%- endif -%}
    {%- set value = known[macro](**args) -%}
    {%- do adapter.commit() -%}
    {%- do log('OFFSHOOT_RESULT ' ~ tojson(value), info=true) -%}
  {%- endif -%}
{% endmacro %}
