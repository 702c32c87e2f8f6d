{# PostgreSQL: the mark is the schema's comment. All of it is transactional. #}

{% macro postgres__create_marked_schema(name, mark) %}
  {%- do offshoot.rows_of('create schema ' ~ offshoot.quoted(name)) -%}
  {%- do offshoot.renew_schema_comment(name, mark) -%}
{% endmacro %}

{% macro postgres__renew_schema(name, mark) %}
  {%- do offshoot.renew_schema_comment(name, mark) -%}
{% endmacro %}

{% macro renew_schema_comment(name, mark) %}
  {%- do offshoot.rows_of(
    'comment on schema ' ~ offshoot.quoted(name) ~ ' is ' ~ offshoot.quoted_text(offshoot.mark_text(mark))) -%}
{% endmacro %}

{# {schema: mark or none} of the named schemas that exist; without names, of all. #}
{% macro postgres__all_marks(names=none) %}
  {%- set sql -%}
    select nspname::text as name, obj_description(oid, 'pg_namespace') as comment
    from pg_catalog.pg_namespace
    {%- if names %} where nspname::text in ({{ offshoot.quoted_texts(names) }}){% endif %}
  {%- endset -%}
  {%- set marks = {} -%}
  {%- for row in offshoot.rows_of(sql) -%}
    {%- do marks.update({row.name: offshoot.mark_in(row.comment)}) -%}
  {%- endfor -%}
  {{- return(marks) -}}
{% endmacro %}

{# Through pg_depend: rules (views, materialized views), foreign keys, defaults, triggers, policies and statistics count
   for the table that they are on; relations, functions, types and the rest for themselves. #}
{% macro postgres__branch_dependents(schemas) %}
  {%- set sql -%}
    with inside as (select oid from pg_catalog.pg_namespace where nspname::text in ({{ offshoot.quoted_texts(schemas) }})),
    objects as (
      select 'pg_catalog.pg_namespace'::regclass as classid, oid from inside
      union all select 'pg_catalog.pg_class'::regclass, oid from pg_catalog.pg_class where relnamespace in (select oid from inside)
      union all select 'pg_catalog.pg_type'::regclass, oid from pg_catalog.pg_type where typnamespace in (select oid from inside)
      union all select 'pg_catalog.pg_proc'::regclass, oid from pg_catalog.pg_proc where pronamespace in (select oid from inside)
      union all select 'pg_catalog.pg_constraint'::regclass, oid from pg_catalog.pg_constraint where connamespace in (select oid from inside)
      union all select 'pg_catalog.pg_operator'::regclass, oid from pg_catalog.pg_operator where oprnamespace in (select oid from inside)
      union all select 'pg_catalog.pg_opclass'::regclass, oid from pg_catalog.pg_opclass where opcnamespace in (select oid from inside)
      union all select 'pg_catalog.pg_collation'::regclass, oid from pg_catalog.pg_collation where collnamespace in (select oid from inside)
      union all select 'pg_catalog.pg_ts_config'::regclass, oid from pg_catalog.pg_ts_config where cfgnamespace in (select oid from inside)
      union all select 'pg_catalog.pg_ts_dict'::regclass, oid from pg_catalog.pg_ts_dict where dictnamespace in (select oid from inside)
    ),
    uses as (
      select distinct d.classid, d.objid,
             case d.classid
               when 'pg_catalog.pg_rewrite'::regclass then (select ev_class from pg_catalog.pg_rewrite where oid = d.objid)
               when 'pg_catalog.pg_constraint'::regclass
                 then (select nullif(conrelid, 0) from pg_catalog.pg_constraint where oid = d.objid)
               when 'pg_catalog.pg_attrdef'::regclass then (select adrelid from pg_catalog.pg_attrdef where oid = d.objid)
               when 'pg_catalog.pg_trigger'::regclass then (select tgrelid from pg_catalog.pg_trigger where oid = d.objid)
               when 'pg_catalog.pg_policy'::regclass then (select polrelid from pg_catalog.pg_policy where oid = d.objid)
               when 'pg_catalog.pg_class'::regclass then d.objid
             end as relation,
             pg_catalog.pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) as used
      from objects
      join pg_catalog.pg_depend d on d.refclassid = objects.classid and d.refobjid = objects.oid
      where d.deptype <> 'p'
    ),
    owners as (
      select coalesce(n.nspname::text, o.schema) as schema, coalesce(c.relname::text, o.name, o.identity) as name,
             case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'r' then 'table'
               when 'p' then 'table' when 'f' then 'foreign table' when 'S' then 'sequence' when 'i' then 'index'
               when 'I' then 'index' when 'c' then 'composite type' else o.type end as type,
             u.used
      from uses u
      cross join lateral pg_catalog.pg_identify_object(u.classid, u.objid, 0) o
      left join pg_catalog.pg_class c on c.oid = u.relation
      left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    )
    select schema, name, type, min(used)::text as uses
    from owners
    where (schema is null or schema not in ({{ offshoot.quoted_texts(schemas) }}))
      and coalesce(schema, '') not like 'pg\_toast%'
      and type not in ('schema', 'default acl', 'publication relation', 'publication namespace')
    group by schema, name, type
    order by schema, name, type
  {%- endset -%}
  {{- return(offshoot.rows_of(sql)) -}}
{% endmacro %}

{# Views from the outermost inward, then what they stood on. RESTRICT throughout: what a check missed makes the server
   refuse, and the transaction leaves everything as it was. #}
{# What is in use is not waited for long: who works in it may be stopped. #}
{% macro postgres__drop_schemas(schemas) %}
  {%- do offshoot.rows_of("set local lock_timeout = '10s'") -%}
  {%- set names = offshoot.quoted_texts(schemas) -%}
  {%- set views -%}
    with recursive views as (
      select c.oid, n.nspname, c.relname, c.relkind
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname::text in ({{ names }}) and c.relkind in ('v', 'm')
    ),
    edges as (
      select distinct r.ev_class as reader, d.refobjid as source
      from pg_catalog.pg_depend d join pg_catalog.pg_rewrite r on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
      where d.refclassid = 'pg_catalog.pg_class'::regclass and r.ev_class <> d.refobjid
        and r.ev_class in (select oid from views) and d.refobjid in (select oid from views)
    ),
    depths as (
      select oid, 0 as depth from views
      union
      select e.reader, p.depth + 1 from depths p join edges e on e.source = p.oid where p.depth < 10000
    )
    select v.nspname::text as schema, v.relname::text as name,
           case v.relkind when 'v' then 'view' else 'materialized view' end as kind
    from views v join depths d on d.oid = v.oid
    group by v.oid, v.nspname, v.relname, v.relkind
    order by max(d.depth) desc, 1, 2
  {%- endset -%}
  {%- for view in offshoot.rows_of(views) -%}
    {%- do offshoot.rows_of('drop ' ~ view.kind ~ ' ' ~ offshoot.quoted(view.schema) ~ '.' ~ offshoot.quoted(view.name) ~ ' restrict') -%}
  {%- endfor -%}
  {%- do offshoot.drop_relations(names, ('r', 'p'), 'table') -%}
  {%- do offshoot.drop_relations(names, ('f',), 'foreign table') -%}
  {%- do offshoot.drop_relations(names, ('S',), 'sequence') -%}
  {%- do offshoot.drop_routines(names) -%}
  {%- do offshoot.drop_types(names) -%}
  {%- for name in schemas -%}
    {%- do offshoot.rows_of('drop schema ' ~ offshoot.quoted(name) ~ ' restrict') -%}
  {%- endfor -%}
{% endmacro %}

{# One statement for all relations of a kind: within it they may depend on one another (foreign keys, partitions). #}
{% macro drop_relations(names, kinds, word) %}
  {%- set sql -%}
    select n.nspname::text as schema, c.relname::text as name
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname::text in ({{ names }}) and c.relkind::text in ({{ offshoot.quoted_texts(kinds) }})
    order by 1, 2
  {%- endset -%}
  {%- set relations = [] -%}
  {%- for row in offshoot.rows_of(sql) -%}
    {%- do relations.append(offshoot.quoted(row.schema) ~ '.' ~ offshoot.quoted(row.name)) -%}
  {%- endfor -%}
  {%- if relations -%}
    {%- do offshoot.rows_of('drop ' ~ word ~ ' ' ~ relations | join(', ') ~ ' restrict') -%}
  {%- endif -%}
{% endmacro %}

{# PostgreSQL writes a routine's signature itself, quoted: regprocedure. #}
{% macro drop_routines(names) %}
  {%- set sql -%}
    select p.oid::regprocedure::text as signature,
           case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname::text in ({{ names }})
    order by p.prokind = 'a' desc, 1
  {%- endset -%}
  {%- do offshoot.rows_of("set local search_path = ''") -%}
  {%- for routine in offshoot.rows_of(sql) -%}
    {%- do offshoot.rows_of('drop ' ~ routine.kind ~ ' ' ~ routine.signature ~ ' restrict') -%}
  {%- endfor -%}
{% endmacro %}

{# Types of their own: not the row types of tables, nor the array types that go with others. #}
{% macro drop_types(names) %}
  {%- set sql -%}
    select n.nspname::text as schema, t.typname::text as name
    from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
    left join pg_catalog.pg_class c on c.oid = t.typrelid
    where n.nspname::text in ({{ names }}) and t.typtype in ('b', 'c', 'd', 'e', 'r')
      and (t.typrelid = 0 or c.relkind = 'c')
      and not exists (select from pg_catalog.pg_type e where e.typarray = t.oid)
    order by 1, 2
  {%- endset -%}
  {%- set types = [] -%}
  {%- for row in offshoot.rows_of(sql) -%}
    {%- do types.append(offshoot.quoted(row.schema) ~ '.' ~ offshoot.quoted(row.name)) -%}
  {%- endfor -%}
  {%- if types -%}
    {%- do offshoot.rows_of('drop type ' ~ types | join(', ') ~ ' restrict') -%}
  {%- endif -%}
{% endmacro %}

{% macro postgres__write_privileges(schemas) %}
  {%- set names = offshoot.quoted_texts(schemas) -%}
  {%- set sql -%}
    with schemas as (
      select oid, nspname::text as name, nspowner from pg_catalog.pg_namespace where nspname::text in ({{ names }})
    )
    select name as schema, 'superuser' as what from schemas
    where (select rolsuper from pg_catalog.pg_roles where rolname = current_user)
    union
    select name, 'owns the schema' from schemas where pg_catalog.pg_has_role(nspowner, 'usage')
    union
    select name, 'create in the schema' from schemas where pg_catalog.has_schema_privilege(oid, 'create')
    union
    select s.name, 'owns relations' from schemas s join pg_catalog.pg_class c on c.relnamespace = s.oid
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and pg_catalog.pg_has_role(c.relowner, 'usage')
    union
    select s.name, p.word || ' on tables' from schemas s join pg_catalog.pg_class c on c.relnamespace = s.oid
    cross join (values ('insert'), ('update'), ('delete'), ('truncate')) p(word)
    where c.relkind in ('r', 'p', 'v', 'f') and pg_catalog.has_table_privilege(c.oid, p.word)
    order by 1, 2
  {%- endset -%}
  {{- return(offshoot.rows_of(sql)) -}}
{% endmacro %}

{% macro postgres__create_database_mark(mark, fresh) %}
  {%- do exceptions.raise_compiler_error(
    "offshoot: PostgreSQL cannot read across databases, so a branch there is a schema, not a database") -%}
{% endmacro %}

{% macro postgres__read_database_mark() %}
  {{- return(none) -}}
{% endmacro %}
