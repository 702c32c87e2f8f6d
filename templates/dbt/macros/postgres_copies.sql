{# PostgreSQL: a copy of a table that a build then works on as if it were production's. #}

{% macro postgres__copy_relations(copies) %}
  {%- do offshoot.rows_of("set local search_path = ''") -%}
  {%- set facts = offshoot.relation_facts(copies) -%}
  {%- set blockers = offshoot.copy_blockers(facts) -%}
  {%- if blockers -%}
    {{- return({'status': 'refused', 'blockers': blockers}) -}}
  {%- endif -%}
  {%- set copied = [] -%}
  {%- for copy in copies -%}
    {%- for fact in facts if fact.schema == copy.schema and fact.name == copy.name and fact.kind == 'r' -%}
      {%- do offshoot.copy_table(fact, {'schema': copy.to, 'name': copy.name}) -%}
      {%- do copied.append({'schema': copy.schema, 'name': copy.name}) -%}
    {%- endfor -%}
  {%- endfor -%}
  {{- return({'status': 'copied', 'copied': copied}) -}}
{% endmacro %}

{# What there is under these schemas and names -> [{schema, name, oid, kind, owner, mine}]. #}
{% macro relation_facts(relations) %}
  {%- if not relations -%}{{- return([]) -}}{%- endif -%}
  {%- set pairs = [] -%}
  {%- for one in relations -%}
    {%- do pairs.append('(' ~ offshoot.quoted_text(one.schema) ~ ', ' ~ offshoot.quoted_text(one.name) ~ ')') -%}
  {%- endfor -%}
  {%- set sql -%}
    select n.nspname::text as schema, c.relname::text as name, c.oid::text as oid, c.relkind::text as kind,
           pg_catalog.pg_get_userbyid(c.relowner)::text as owner
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where (n.nspname::text, c.relname::text) in ({{ pairs | join(', ') }}) and c.relkind in ('r', 'p', 'v', 'm', 'f')
    order by 1, 2
  {%- endset -%}
  {{- return(offshoot.rows_of(sql)) -}}
{% endmacro %}

{# What a copy would not have, or would share with the original -> [{schema, name, what}]. #}
{% macro copy_blockers(facts) %}
  {%- set oids = facts | selectattr('kind', 'equalto', 'r') | map(attribute='oid') | list -%}
  {%- if not oids -%}{{- return([]) -}}{%- endif -%}
  {%- set sql -%}
    with tables as (
      select c.* from pg_catalog.pg_class c where c.oid in ({{ oids | join(', ') }})
    ), blocked as (
      select tgrelid as relid, 'a trigger (' || tgname || ')' as what from pg_catalog.pg_trigger
        where not tgisinternal and tgrelid in (select oid from tables)
      union all select polrelid, 'a row security policy (' || polname || ')' from pg_catalog.pg_policy
        where polrelid in (select oid from tables)
      union all select oid, 'row security' from tables where relrowsecurity
      union all select ev_class, 'a rule (' || rulename || ')' from pg_catalog.pg_rewrite
        where ev_class in (select oid from tables)
      union all select inhrelid, 'a parent table' from pg_catalog.pg_inherits where inhrelid in (select oid from tables)
      union all select inhparent, 'child tables' from pg_catalog.pg_inherits where inhparent in (select oid from tables)
      union all select conrelid, 'a foreign key (' || conname || ')' from pg_catalog.pg_constraint
        where contype = 'f' and conrelid in (select oid from tables)
      union all select d.refobjid, 'a sequence of its own (' || s.relname || ')'
        from pg_catalog.pg_depend d join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
        where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass
          and d.deptype = 'a' and d.refobjid in (select oid from tables)
    )
    select n.nspname::text as schema, t.relname::text as name, min(b.what)::text as what
    from blocked b join tables t on t.oid = b.relid join pg_catalog.pg_namespace n on n.oid = t.relnamespace
    group by 1, 2 order by 1, 2
  {%- endset -%}
  {{- return(offshoot.rows_of(sql)) -}}
{% endmacro %}

{# A table like another, with its rows and its indexes. Comments on columns come along, that on the table does not. #}
{% macro create_filled_like(fact, place) %}
  {%- set source, target_text = offshoot.relation_text(fact), offshoot.relation_text(place) -%}
  {%- set about = offshoot.rows_of(
    "select relpersistence::text as persistence, pg_catalog.array_to_string(reloptions, ', ') as options "
    ~ "from pg_catalog.pg_class where oid = " ~ fact.oid)[0] -%}
  {%- do offshoot.rows_of('create ' ~ ('unlogged ' if about.persistence == 'u' else '') ~ 'table ' ~ target_text
    ~ ' (like ' ~ source ~ ' including all excluding indexes)'
    ~ (' with (' ~ about.options ~ ')' if about.options else '')) -%}
  {%- do offshoot.copy_rows(fact, source, target_text) -%}
  {%- do offshoot.copy_indexes(fact, place, target_text) -%}
{% endmacro %}

{% macro copy_table(fact, copy) %}
  {%- set target_text = offshoot.relation_text(copy) -%}
  {%- do offshoot.create_filled_like(fact, copy) -%}
  {%- set comment = offshoot.rows_of("select pg_catalog.obj_description(" ~ fact.oid ~ ", 'pg_class') as text")[0].text -%}
  {%- if comment is not none -%}
    {%- do offshoot.rows_of('comment on table ' ~ target_text ~ ' is ' ~ offshoot.quoted_text(comment)) -%}
  {%- endif -%}
  {%- set made = offshoot.relation_facts([copy])[0] -%}
  {%- do offshoot.take_grants_away(made, target_text) -%}
  {%- do offshoot.grant_as(fact, target_text) -%}
{% endmacro %}

{% macro copy_rows(fact, source, target_text) %}
  {%- set columns = offshoot.rows_of(
    "select attname::text as name, attidentity::text as identity from pg_catalog.pg_attribute where attnum > 0 "
    ~ "and not attisdropped and attgenerated = '' and attrelid = " ~ fact.oid ~ " order by attnum") -%}
  {%- set names = [] -%}
  {%- for column in columns -%}{%- do names.append(offshoot.quoted(column.name)) -%}{%- endfor -%}
  {%- if names -%}
    {%- do offshoot.rows_of('insert into ' ~ target_text ~ ' (' ~ names | join(', ') ~ ') overriding system value select '
      ~ names | join(', ') ~ ' from only ' ~ source) -%}
  {%- endif -%}
  {%- for column in columns if column.identity -%}
    {%- do offshoot.rows_of(
      'select pg_catalog.setval(pg_catalog.pg_get_serial_sequence(' ~ offshoot.quoted_text(target_text) ~ ', '
      ~ offshoot.quoted_text(column.name) ~ '), coalesce((select last_value from pg_catalog.pg_sequences where '
      ~ "pg_catalog.format('%I.%I', schemaname, sequencename) = pg_catalog.pg_get_serial_sequence("
      ~ offshoot.quoted_text(source) ~ ', ' ~ offshoot.quoted_text(column.name) ~ ')), 1))') -%}
  {%- endfor -%}
{% endmacro %}

{# Keys and indexes under the names that they have on the original. #}
{% macro copy_indexes(fact, copy, target_text) %}
  {%- for key in offshoot.rows_of(
      "select conname::text as name, pg_catalog.pg_get_constraintdef(oid) as definition from pg_catalog.pg_constraint "
      ~ "where contype in ('p', 'u', 'x') and conrelid = " ~ fact.oid ~ " order by contype, 1") -%}
    {%- do offshoot.rows_of('alter table ' ~ target_text ~ ' add constraint ' ~ offshoot.quoted(key.name) ~ ' ' ~ key.definition) -%}
  {%- endfor -%}
  {%- set sql -%}
    select pg_catalog.replace(pg_catalog.pg_get_indexdef(i.indexrelid),
             pg_catalog.format(' ON %I.%I USING ', {{ offshoot.quoted_text(fact.schema) }}, {{ offshoot.quoted_text(fact.name) }}),
             ' ON ' || {{ offshoot.quoted_text(target_text) }} || ' USING ') as statement
    from pg_catalog.pg_index i
    where i.indrelid = {{ fact.oid }} and i.indisvalid
      and not exists (select from pg_catalog.pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
    order by i.indexrelid
  {%- endset -%}
  {%- for index in offshoot.rows_of(sql) -%}
    {%- do offshoot.rows_of(index.statement) -%}
  {%- endfor -%}
{% endmacro %}

{# Grants to others than its owner, of a relation and of its columns. #}
{% macro grants_of(fact) %}
  {%- set sql -%}
    with granted as (
      select a.*, c.relowner, ''::text as on_column
      from pg_catalog.pg_class c cross join lateral pg_catalog.aclexplode(c.relacl) a where c.oid = {{ fact.oid }}
      union all
      select a.*, c.relowner, t.attname::text
      from pg_catalog.pg_class c join pg_catalog.pg_attribute t on t.attrelid = c.oid and not t.attisdropped
      cross join lateral pg_catalog.aclexplode(t.attacl) a where c.oid = {{ fact.oid }}
    )
    select privilege_type as privilege, on_column, is_grantable as grantable,
           case when grantee = 0 then null else pg_catalog.pg_get_userbyid(grantee)::text end as role
    from granted where grantee <> relowner order by 4, 1, 2
  {%- endset -%}
  {{- return(offshoot.rows_of(sql)) -}}
{% endmacro %}

{% macro grantee(role) %}
  {{- return('public' if role is none else offshoot.quoted(role)) -}}
{% endmacro %}

{% macro grant_each(grants, target_text) %}
  {%- for grant in grants -%}
    {%- do offshoot.rows_of('grant ' ~ grant.privilege
      ~ (' (' ~ offshoot.quoted(grant.on_column) ~ ')' if grant.on_column else '')
      ~ ' on ' ~ target_text ~ ' to ' ~ offshoot.grantee(grant.role)
      ~ (' with grant option' if grant.grantable else '')) -%}
  {%- endfor -%}
{% endmacro %}

{% macro grant_as(fact, target_text) %}
  {%- do offshoot.grant_each(offshoot.grants_of(fact), target_text) -%}
{% endmacro %}

{% macro take_grants_away(fact, target_text) %}
  {%- for grant in offshoot.grants_of(fact) -%}
    {%- do offshoot.rows_of('revoke all on ' ~ target_text ~ ' from ' ~ offshoot.grantee(grant.role)) -%}
  {%- endfor -%}
{% endmacro %}
