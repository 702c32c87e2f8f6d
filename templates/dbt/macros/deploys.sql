{# Replacing what production has, after it was built and tested beside. Each entry macro is one transaction. #}

{# Copies tables of production, with rows, indexes, comments and grants, to where a build then works on the copies.
   `copies`: [{schema, name, to}]; one that is not a table there is left out.
   -> {status: 'copied', copied: [{schema, name}]} or {status: 'refused', blockers: [{schema, name, what}]} #}
{% macro copy_relations(copies) %}
  {{- return(offshoot.implementation('copy_relations')(copies)) -}}
{% endmacro %}

{# Exchanges relations of production for others, all or none. `relations`: [{schema, name, from, to, fresh}]: what stands
   in production under schema and name goes to the schema `to`, and what stands in `from` under that name (null:
   nothing) takes its place. `fresh` says that it was made from nothing, so that the schema's default privileges are
   due. `views`: 'create' makes views again in production, 'move' moves them. `mark` is renewed on the schemas `kept`;
   `staging` schemas that are empty afterwards are dropped.
   Views outside that read what is exchanged are bound to what takes its place.
   -> {status: 'exchanged', exchanged: [{schema, name}], recreated: [{schema, name}]}
   or {status: 'refused', dependents: [{schema, name, type, why}]} or {status: 'busy'}, and nothing has changed #}
{% macro exchange_relations(relations, views, mark, kept, staging) %}
  {%- do offshoot.mark_text(mark) -%}
  {{- return(offshoot.implementation('exchange_relations')(relations, views, mark, kept, staging)) -}}
{% endmacro %}

{# Drops the schemas of a place beside production, unless its exchange has happened: its mark then has a head. Waits for
   an exchange that is under way, and none can happen afterwards.
   -> {status: 'dropped', dropped: [schema]}, {status: 'finished'} or {status: 'refused', dependents: [...]} #}
{% macro drop_unfinished_place(repository_id, branch) %}
  {{- return(offshoot.implementation('drop_unfinished_place')(repository_id, branch)) -}}
{% endmacro %}

{# Drops relations of production that no model makes any more. `relations`: [{schema, name}]. What something else needs
   stays. -> {dropped: [{schema, name}], kept: [{schema, name, why}]} #}
{% macro drop_removed_relations(relations) %}
  {{- return(offshoot.implementation('drop_removed_relations')(relations)) -}}
{% endmacro %}

{# Those of `schemas` that this login may drop. #}
{% macro droppable_schemas(schemas) %}
  {{- return(offshoot.implementation('droppable_schemas')(schemas) if schemas else []) -}}
{% endmacro %}

{% macro relation_text(relation) %}
  {{- return(offshoot.quoted(relation.schema) ~ '.' ~ offshoot.quoted(relation.name)) -}}
{% endmacro %}

{% macro default__copy_relations(copies) %}{{- offshoot.no_exchange() -}}{% endmacro %}
{% macro default__exchange_relations(relations, views, mark, kept, staging) %}{{- offshoot.no_exchange() -}}{% endmacro %}
{% macro default__drop_removed_relations(relations) %}{{- offshoot.no_exchange() -}}{% endmacro %}
{% macro default__drop_unfinished_place(repository_id, branch) %}{{- offshoot.no_exchange() -}}{% endmacro %}
{% macro default__droppable_schemas(schemas) %}{{- return(schemas) -}}{% endmacro %}

{% macro no_exchange() %}
  {%- do exceptions.raise_compiler_error(
    "offshoot: relations cannot be exchanged on " ~ adapter.type() ~ " yet; set deploy.mode to in-place") -%}
{% endmacro %}

{% macro duckdb__drop_removed_relations(relations) %}
  {%- set dropped = [] -%}
  {%- for relation in relations -%}
    {%- set sql -%}
      select 'view' as kind from duckdb_views() where database_name = {{ offshoot.quoted_text(target.database) }}
        and lower(schema_name) = lower({{ offshoot.quoted_text(relation.schema) }})
        and lower(view_name) = lower({{ offshoot.quoted_text(relation.name) }})
      union all
      select 'table' from duckdb_tables() where database_name = {{ offshoot.quoted_text(target.database) }}
        and lower(schema_name) = lower({{ offshoot.quoted_text(relation.schema) }})
        and lower(table_name) = lower({{ offshoot.quoted_text(relation.name) }})
    {%- endset -%}
    {%- for row in offshoot.rows_of(sql) -%}
      {%- do offshoot.rows_of('drop ' ~ row.kind ~ ' ' ~ offshoot.duckdb_table(relation.schema, relation.name)) -%}
      {%- do dropped.append(relation) -%}
    {%- endfor -%}
  {%- endfor -%}
  {{- return({'dropped': dropped, 'kept': []}) -}}
{% endmacro %}
