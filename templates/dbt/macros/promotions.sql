{# Copying what a branch has built to where a deploy builds the next version of production. One transaction. #}

{# `copies`: [{id, schema, name, to, to_name, goes_on}]: the table `schema`.`name` of the branch goes to `to`.`to_name`.
   Where one stands there, and `goes_on` says that dbt would go on from it, it keeps all but its rows. `mark` is the branch's as the check left it, and
   `database` the one that holds the branch.
   -> {status: 'copied', left: [{id, why}]}: those that were not copied; or {status: 'gone', why}, and nothing was #}
{% macro promote_relations(copies, mark, database) %}
  {%- do offshoot.mark_text(mark) -%}
  {{- return(offshoot.implementation('promote_relations')(copies, mark, database)) -}}
{% endmacro %}

{# Whether a mark is still that of the check: every check of a branch renews it before its first statement. #}
{% macro same_check(found, mark) %}
  {{- return(offshoot.same_owner(found, mark) and found.get('head') == mark.head and found.get('expires') == mark.expires
    and found.get('branch') == mark.branch) -}}
{% endmacro %}

{% macro default__promote_relations(copies, mark, database) %}{{- offshoot.no_exchange() -}}{% endmacro %}

{# --- PostgreSQL #}

{% macro postgres__promote_relations(copies, mark, database) %}
  {%- do offshoot.rows_of("set local search_path = ''") -%}
  {%- if not offshoot.schemas_as_checked(copies, mark) -%}
    {{- return({'status': 'gone', 'why': 'it was dropped, or is not as the check left it'}) -}}
  {%- endif -%}
  {%- set facts = offshoot.relation_facts(copies) -%}
  {%- set unlike = offshoot.uncopyable(facts, 'in the branch') -%}
  {%- set left = [] -%}
  {%- for copy in copies -%}
    {%- set found = facts | selectattr('schema', 'equalto', copy.schema) | selectattr('name', 'equalto', copy.name) | list -%}
    {%- set why = 'it is no table in the branch' if not found or found[0].kind != 'r'
        else unlike.get(found[0].oid) or offshoot.place_table(found[0], {'schema': copy.to, 'name': copy.to_name}, replace=false) -%}
    {%- if why -%}{%- do left.append({'id': copy.id, 'why': why}) -%}{%- endif -%}
  {%- endfor -%}
  {%- if not offshoot.schemas_as_checked(copies, mark) -%}
    {%- do exceptions.raise_compiler_error("offshoot: the branch was built again while it was read") -%}
  {%- endif -%}
  {{- return({'status': 'copied', 'left': left}) -}}
{% endmacro %}

{% macro schemas_as_checked(copies, mark) %}
  {%- set names = copies | map(attribute='schema') | unique | list -%}
  {%- set marks = offshoot.marks_of(names) -%}
  {%- for name in names if not offshoot.same_check(marks.get(name), mark) -%}{{- return(false) -}}{%- endfor -%}
  {{- return(true) -}}
{% endmacro %}

{# {oid: why} of tables that cannot be read, or whose copy would not be the same or would need something of a branch.
   `where` they are goes into the words. #}
{% macro uncopyable(facts, where) %}
  {%- set oids = facts | selectattr('kind', 'equalto', 'r') | map(attribute='oid') | list -%}
  {%- if not oids -%}{{- return({}) -}}{%- endif -%}
  {%- set unlike = {} -%}
  {%- for blocker in offshoot.copy_blockers(facts) -%}
    {%- for fact in facts if fact.schema == blocker.schema and fact.name == blocker.name -%}
      {%- do unlike.update({fact.oid: 'it has ' ~ blocker.what ~ ' ' ~ where}) -%}
    {%- endfor -%}
  {%- endfor -%}
  {%- set sql -%}
    select c.oid::text as oid,
           pg_catalog.has_schema_privilege(c.relnamespace, 'usage') and pg_catalog.has_table_privilege(c.oid, 'select') as readable,
           exists (select from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
                   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                     and (a.atthasdef or t.typnamespace = c.relnamespace
                          or pg_catalog.obj_description(t.typnamespace, 'pg_namespace') like '%"offshoot"%')) as tied
    from pg_catalog.pg_class c where c.oid in ({{ oids | join(', ') }})
  {%- endset -%}
  {%- for row in offshoot.rows_of(sql) -%}
    {%- if not row.readable -%}
      {%- do unlike.update({row.oid: 'the login may not read it ' ~ where}) -%}
    {%- elif row.tied -%}
      {%- do unlike.update({row.oid: 'it has a default, or a type of the branch'}) -%}
    {%- endif -%}
  {%- endfor -%}
  {{- return(unlike) -}}
{% endmacro %}

{# Copies one table; why it was not copied, else nothing. It belongs to the login and has no grants but what that login's
   defaults give, as if dbt had built it. Where a table with the same columns stands only its rows are replaced, for views
   may read it; what else stands there is dropped if `replace` says so. #}
{% macro place_table(fact, place, replace) %}
  {%- set source, target_text = offshoot.relation_text(fact), offshoot.relation_text(place) -%}
  {%- set there = offshoot.relation_facts([place]) -%}
  {%- if there and there[0].kind == 'r' and offshoot.columns_text(there[0]) == offshoot.columns_text(fact) -%}
    {%- do offshoot.rows_of('truncate table ' ~ target_text) -%}
    {%- do offshoot.copy_rows(fact, source, target_text) -%}
  {%- elif there and not replace -%}
    {{- return('its columns are not those that production has') -}}
  {%- else -%}
    {%- set kind = {'v': 'view', 'm': 'materialized view', 'f': 'foreign table'}.get(there[0].kind, 'table') if there else '' -%}
    {%- set problem = offshoot.tried('drop ' ~ kind ~ ' ' ~ target_text ~ ' restrict') if there else '' -%}
    {%- if problem -%}
      {{- return('what stands in its place cannot be replaced: ' ~ problem[6:]) -}}
    {%- endif -%}
    {%- do offshoot.create_filled_like(fact, place) -%}
  {%- endif -%}
  {%- do offshoot.comment_as('table', fact, place) -%}
  {{- return('') -}}
{% endmacro %}

{% macro columns_text(fact) %}
  {%- set sql -%}
    select pg_catalog.string_agg(pg_catalog.format('%I %s %s', attname, pg_catalog.format_type(atttypid, atttypmod), attcollation), ', ' order by attnum) as text
    from pg_catalog.pg_attribute where attrelid = {{ fact.oid }} and attnum > 0 and not attisdropped
  {%- endset -%}
  {{- return(offshoot.rows_of(sql)[0].text) -}}
{% endmacro %}

{# --- DuckDB: the branch's file is attached under its own name, to read only; while it is, nobody can write to it. #}

{% macro duckdb__promote_relations(copies, mark, database) %}
  {%- set there = offshoot.rows_of(
    "select 1 as one from duckdb_tables() where database_name = " ~ offshoot.quoted_text(database)
    ~ " and schema_name = 'main' and table_name = '_offshoot_owner'") -%}
  {%- set owner = offshoot.quoted(database) ~ '."main"."_offshoot_owner"' -%}
  {%- set marks = offshoot.rows_of('select mark from ' ~ owner ~ ' limit 2') if there else [] -%}
  {%- if marks | length != 1 or not offshoot.same_check(offshoot.mark_in(marks[0].mark), mark) -%}
    {{- return({'status': 'gone', 'why': 'its file is not as the check left it'}) -}}
  {%- endif -%}
  {%- set left = [] -%}
  {%- for copy in copies -%}
    {%- set why = offshoot.copy_duckdb_table(database, copy, 'in the branch', 'in production') -%}
    {%- if why -%}{%- do left.append({'id': copy.id, 'why': why}) -%}{%- endif -%}
  {%- endfor -%}
  {{- return({'status': 'copied', 'left': left}) -}}
{% endmacro %}

{# Copies one table from another database; why it was not copied, else nothing. `where` and `to_where` go into the words. #}
{% macro copy_duckdb_table(database, copy, where, to_where) %}
  {%- set columns = offshoot.duckdb_columns_of(database, copy.schema, copy.name) -%}
  {%- if not columns -%}{{- return('it is no table ' ~ where) -}}{%- endif -%}
  {%- set source = offshoot.quoted(database) ~ '.' ~ offshoot.quoted(copy.schema) ~ '.' ~ offshoot.quoted(copy.name) -%}
  {%- set place = offshoot.duckdb_table(copy.to, copy.to_name) -%}
  {%- set standing = offshoot.duckdb_columns_of(target.database, copy.to, copy.to_name) -%}
  {%- set seen = offshoot.rows_of(
    "select 1 as one from duckdb_views() where database_name = " ~ offshoot.quoted_text(target.database) ~ " and lower(schema_name) = lower("
    ~ offshoot.quoted_text(copy.to) ~ ") and lower(view_name) = lower(" ~ offshoot.quoted_text(copy.to_name) ~ ")") -%}
  {%- if seen -%}{{- return('it is a view ' ~ to_where) -}}{%- endif -%}
  {%- if copy.goes_on and standing -%}
    {%- if standing | map(attribute='text') | list != columns | map(attribute='text') | list -%}
      {{- return('its columns are not those that it has ' ~ to_where) -}}
    {%- endif -%}
    {%- do offshoot.rows_of('delete from ' ~ place) -%}
    {%- do offshoot.rows_of('insert into ' ~ place ~ ' select * from ' ~ source) -%}
  {%- else -%}
    {%- do offshoot.rows_of('create schema if not exists ' ~ offshoot.quoted(target.database) ~ '.' ~ offshoot.quoted(copy.to)) -%}
    {%- do offshoot.rows_of('create or replace table ' ~ place ~ ' as select * from ' ~ source) -%}
  {%- endif -%}
  {%- set comment = offshoot.rows_of(
    "select comment from duckdb_tables() where database_name = " ~ offshoot.quoted_text(database) ~ " and schema_name = "
    ~ offshoot.quoted_text(copy.schema) ~ " and table_name = " ~ offshoot.quoted_text(copy.name))[0].comment -%}
  {%- if comment is not none -%}
    {%- do offshoot.rows_of('comment on table ' ~ place ~ ' is ' ~ offshoot.quoted_text(comment)) -%}
  {%- endif -%}
  {%- for column in columns if column.comment is not none -%}
    {%- do offshoot.rows_of('comment on column ' ~ place ~ '.' ~ offshoot.quoted(column.name) ~ ' is ' ~ offshoot.quoted_text(column.comment)) -%}
  {%- endfor -%}
  {{- return('') -}}
{% endmacro %}

{% macro duckdb_columns_of(database, schema, name) %}
  {%- set sql -%}
    select c.column_name as name, c.column_name || ' ' || c.data_type as text, c.comment
    from duckdb_columns() c join duckdb_tables() t on t.database_name = c.database_name and t.table_oid = c.table_oid and t.schema_name = c.schema_name
    where c.database_name = {{ offshoot.quoted_text(database) }} and lower(c.schema_name) = lower({{ offshoot.quoted_text(schema) }})
      and lower(c.table_name) = lower({{ offshoot.quoted_text(name) }})
    order by c.column_index
  {%- endset -%}
  {{- return(offshoot.rows_of(sql)) -}}
{% endmacro %}
