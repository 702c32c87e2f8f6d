{# DuckDB: schemas take no comments, so the mark is the one row of a table `_offshoot_owner` in the schema. All of it is
   transactional. Everything happens in the target's own database; attached ones are never touched. #}

{% macro duckdb_table(schema, name) %}
  {{- return(offshoot.quoted(target.database) ~ '.' ~ offshoot.quoted(schema) ~ '.' ~ offshoot.quoted(name)) -}}
{% endmacro %}

{% macro duckdb__create_marked_schema(name, mark) %}
  {%- do offshoot.rows_of('create schema ' ~ offshoot.quoted(target.database) ~ '.' ~ offshoot.quoted(name)) -%}
  {%- do offshoot.create_mark_table(name, mark) -%}
{% endmacro %}

{% macro create_mark_table(schema, mark) %}
  {%- set table = offshoot.duckdb_table(schema, '_offshoot_owner') -%}
  {%- do offshoot.rows_of('create table ' ~ table ~ ' (mark varchar not null)') -%}
  {%- do offshoot.rows_of('insert into ' ~ table ~ ' values (' ~ offshoot.quoted_text(offshoot.mark_text(mark)) ~ ')') -%}
{% endmacro %}

{% macro duckdb__renew_schema(name, mark) %}
  {%- do offshoot.rows_of(
    'update ' ~ offshoot.duckdb_table(name, '_offshoot_owner') ~ ' set mark = ' ~ offshoot.quoted_text(offshoot.mark_text(mark))) -%}
{% endmacro %}

{# {schema: mark or none} of the named schemas that exist; without names, of all. DuckDB's names ignore case. #}
{% macro duckdb__all_marks(names=none) %}
  {%- set sql -%}
    select s.schema_name as name, count(c.column_name) filter (c.data_type = 'VARCHAR') = 1 as marked
    from duckdb_schemas() s
    left join duckdb_columns() c on c.database_name = s.database_name and c.schema_name = s.schema_name
      and c.table_name = '_offshoot_owner' and c.column_name = 'mark' and not c.internal
      and exists (from duckdb_tables() t where t.database_name = c.database_name and t.table_oid = c.table_oid)
    where s.database_name = {{ offshoot.quoted_text(target.database) }}
    group by 1
  {%- endset -%}
  {%- set wanted = {} -%}
  {%- for name in names or [] -%}{%- do wanted.update({name | lower: name}) -%}{%- endfor -%}
  {%- set marks = {} -%}
  {%- for row in offshoot.rows_of(sql) if names is none or row.name | lower in wanted -%}
    {%- set mark = offshoot.mark_in_schema(row.name) if row.marked else none -%}
    {%- do marks.update({wanted.get(row.name | lower, row.name): mark}) -%}
  {%- endfor -%}
  {{- return(marks) -}}
{% endmacro %}

{% macro mark_in_schema(schema) %}
  {%- set rows = offshoot.rows_of('select mark from ' ~ offshoot.duckdb_table(schema, '_offshoot_owner') ~ ' limit 2') -%}
  {{- return(offshoot.mark_in(rows[0].mark) if rows | length == 1 else none) -}}
{% endmacro %}

{# DuckDB records no dependencies of views and macros, so their text is read: one that has a schema's name as a word is
   reported. Tables and the like are found by duckdb_dependencies(). #}
{% macro duckdb__branch_dependents(schemas) %}
  {%- set names = offshoot.lower_texts(schemas) -%}
  {%- set texts -%}
    select database_name, schema_name as schema, view_name as name, 'view' as type, sql as text
    from duckdb_views() where not internal
    union all
    select database_name, schema_name, function_name, 'macro', macro_definition
    from duckdb_functions() where not internal and macro_definition is not null
  {%- endset -%}
  {%- set found = [] -%}
  {%- set lower = schemas | map('lower') | list -%}
  {%- for row in offshoot.rows_of(texts) if row.database_name != target.database or row.schema | lower not in lower -%}
    {%- for name in lower if modules.re.search('(?<!\\w)' ~ modules.re.escape(name) ~ '(?!\\w)', (row.text or '') | lower) -%}
      {%- if loop.first -%}
        {%- do found.append({'schema': row.schema, 'name': row.name, 'type': row.type, 'uses': 'its text names ' ~ name}) -%}
      {%- endif -%}
    {%- endfor -%}
  {%- endfor -%}
  {%- set recorded -%}
    with objects as (
      select table_oid as oid, schema_name, table_name as name, 'table' as type from duckdb_tables()
        where database_name = {{ offshoot.quoted_text(target.database) }}
      union all select view_oid, schema_name, view_name, 'view' from duckdb_views()
        where database_name = {{ offshoot.quoted_text(target.database) }}
      union all select sequence_oid, schema_name, sequence_name, 'sequence' from duckdb_sequences()
        where database_name = {{ offshoot.quoted_text(target.database) }}
      union all select index_oid, schema_name, index_name, 'index' from duckdb_indexes()
        where database_name = {{ offshoot.quoted_text(target.database) }}
      union all select type_oid, schema_name, type_name, 'type' from duckdb_types()
        where database_name = {{ offshoot.quoted_text(target.database) }} and type_oid is not null
    )
    select distinct reader.schema_name as schema, reader.name, reader.type, source.type || ' ' || source.name as uses
    from duckdb_dependencies() d
    join objects reader on reader.oid = d.objid
    join objects source on source.oid = d.refobjid
    where lower(source.schema_name) in ({{ names }}) and lower(reader.schema_name) not in ({{ names }})
    order by 1, 2
  {%- endset -%}
  {{- return(found + offshoot.rows_of(recorded)) -}}
{% endmacro %}

{% macro lower_texts(texts) %}
  {{- return(offshoot.quoted_texts(texts | map('lower') | list)) -}}
{% endmacro %}

{% macro duckdb__drop_schemas(schemas) %}
  {%- set here -%}
    database_name = {{ offshoot.quoted_text(target.database) }} and lower(schema_name) in ({{ offshoot.lower_texts(schemas) }}) and not internal
  {%- endset -%}
  {%- do offshoot.drop_each('view', 'select schema_name, view_name as name from duckdb_views() where ' ~ here) -%}
  {%- do offshoot.drop_each('table', offshoot.tables_readers_first(here)) -%}
  {%- do offshoot.drop_each('macro', "select distinct schema_name, function_name as name from duckdb_functions() where function_type = 'macro' and " ~ here) -%}
  {%- do offshoot.drop_each('macro table', "select distinct schema_name, function_name as name from duckdb_functions() where function_type = 'table_macro' and " ~ here) -%}
  {%- do offshoot.drop_each('sequence', 'select schema_name, sequence_name as name from duckdb_sequences() where ' ~ here.replace(' and not internal', '')) -%}
  {%- do offshoot.drop_each('type', 'select schema_name, type_name as name from duckdb_types() where ' ~ here) -%}
  {%- for name in schemas -%}
    {%- do offshoot.rows_of('drop schema ' ~ offshoot.quoted(target.database) ~ '.' ~ offshoot.quoted(name) ~ ' restrict') -%}
  {%- endfor -%}
{% endmacro %}

{% macro drop_each(kind, sql) %}
  {%- for row in offshoot.rows_of(sql) -%}
    {%- do offshoot.rows_of('drop ' ~ kind ~ ' ' ~ offshoot.duckdb_table(row.schema_name, row.name)) -%}
  {%- endfor -%}
{% endmacro %}

{# Tables with foreign keys before the tables that these point to; both are always in one schema. #}
{% macro tables_readers_first(here) %}
  {%- set sql -%}
    with recursive tables as (select schema_name, table_name from duckdb_tables() where {{ here }}),
    keys as (
      select schema_name, table_name, referenced_table from duckdb_constraints()
      where constraint_type = 'FOREIGN KEY' and table_name <> referenced_table
        and {{ here.replace(' and not internal', '') }}
    ),
    depths as (
      select schema_name, table_name, 0 as depth from tables
      union
      select k.schema_name, k.table_name, d.depth + 1
      from depths d join keys k on k.schema_name = d.schema_name and k.referenced_table = d.table_name
      where d.depth < 10000
    )
    select schema_name, table_name as name from depths group by 1, 2 order by max(depth) desc, 1, 2
  {%- endset -%}
  {{- return(sql) -}}
{% endmacro %}

{% macro duckdb__write_privileges(schemas) %}
  {%- set found = [] -%}
  {%- for name in schemas -%}
    {%- do found.append({'schema': name, 'what': 'a DuckDB file that is open can be written throughout'}) -%}
  {%- endfor -%}
  {{- return(found) -}}
{% endmacro %}

{% macro duckdb__read_database_mark() %}
  {{- return(offshoot.marks_of(['main']).get('main')) -}}
{% endmacro %}

{% macro duckdb__create_database_mark(mark, fresh) %}
  {%- set existing = offshoot.read_database_mark() -%}
  {%- if existing is not none -%}
    {%- if not offshoot.same_owner(existing, mark) -%}
      {{- return({'status': 'foreign', 'mark': existing}) -}}
    {%- endif -%}
    {%- do offshoot.implementation('renew_schema')('main', offshoot.renewed_mark(existing, mark)) -%}
    {{- return({'status': 'kept'}) -}}
  {%- endif -%}
  {%- set contents = offshoot.rows_of(
    "select (select count(*) from duckdb_tables() where database_name = " ~ offshoot.quoted_text(target.database)
    ~ " and not internal) + (select count(*) from duckdb_views() where not internal and database_name = "
    ~ offshoot.quoted_text(target.database) ~ ") as n") -%}
  {%- if contents[0].n | int > 0 and not fresh -%}
    {{- return({'status': 'foreign', 'mark': none}) -}}
  {%- endif -%}
  {%- do offshoot.create_mark_table('main', mark) -%}
  {{- return({'status': 'created'}) -}}
{% endmacro %}
