{# PostgreSQL: the exchange, in one transaction. What reads a relation is bound to it by oid, so a relation that moves to
   another schema takes its readers along, and readers outside are bound again by their text. #}

{% macro postgres__exchange_relations(relations, views, mark, kept, staging) %}
  {%- do offshoot.rows_of("set local search_path = ''") -%}
  {%- do offshoot.lock_place(mark.branch) -%}
  {%- do offshoot.rows_of("set local lock_timeout = '200ms'") -%}
  {%- do offshoot.rows_of('savepoint offshoot_exchange') -%}
  {%- set incoming_names = [] -%}
  {%- for one in relations if one.from is not none -%}
    {%- do incoming_names.append({'schema': one.from, 'name': one.name}) -%}
  {%- endfor -%}
  {%- set old = offshoot.relation_facts(relations) -%}
  {%- set new = offshoot.relation_facts(incoming_names) -%}
  {%- for wanted in incoming_names -%}
    {%- if not new | selectattr('schema', 'equalto', wanted.schema) | selectattr('name', 'equalto', wanted.name) | list -%}
      {%- do exceptions.raise_compiler_error("offshoot: " ~ offshoot.relation_text(wanted) ~ " is not there to take production's place") -%}
    {%- endif -%}
  {%- endfor -%}
  {%- set readers = offshoot.outside_readers(old, new) -%}
  {%- set refused = readers | rejectattr('kind', 'equalto', 'v') | list -%}
  {%- if refused -%}
    {{- return(offshoot.exchange_refused(refused, 'it cannot be bound to another relation in a moment')) -}}
  {%- endif -%}

  {%- set answer = offshoot.lock_for_exchange(old, readers) -%}
  {%- if answer == 'busy' -%}{{- return({'status': 'busy'}) -}}{%- endif -%}
  {%- if answer != 'locked' -%}
    {{- return(offshoot.exchange_refused(readers, answer)) -}}
  {%- endif -%}
  {#- From here nobody else reads or writes what is exchanged. -#}

  {%- for reader in readers -%}{%- do reader.update({'statement': offshoot.view_statement(reader, reader, true, {})}) -%}{%- endfor -%}
  {%- for fact in old -%}
    {%- set place = offshoot.place_of(relations, fact.schema, fact.name) -%}
    {%- do offshoot.rows_of('alter table ' ~ offshoot.relation_text(fact) ~ ' set schema ' ~ offshoot.quoted(place.to)) -%}
  {%- endfor -%}
  {%- do offshoot.move_in(relations, old, new, views) -%}
  {%- for reader in offshoot.innermost_first(readers) -%}
    {%- set problem = offshoot.tried(reader.statement) -%}
    {%- if problem -%}{{- return(offshoot.exchange_refused([reader], problem)) -}}{%- endif -%}
  {%- endfor -%}
  {%- for name in kept -%}{%- do offshoot.renew_schema_comment(name, mark) -%}{%- endfor -%}
  {%- do offshoot.drop_empty_schemas(staging) -%}
  {{- return({'status': 'exchanged', 'exchanged': offshoot.names_only(relations), 'recreated': offshoot.names_only(readers)}) -}}
{% endmacro %}

{# Held to the end of the transaction: a place is exchanged or dropped, not both. #}
{% macro lock_place(branch) %}
  {%- do offshoot.rows_of('select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext(' ~ offshoot.quoted_text('offshoot ' ~ branch) ~ '))::text as locked') -%}
{% endmacro %}

{# A run that was stopped in the middle of its exchange holds the place, and production: after some time its connection
   is ended, which undoes what it had begun. #}
{% macro wrest_place(branch) %}
  {%- set key = 'pg_catalog.hashtext(' ~ offshoot.quoted_text('offshoot ' ~ branch) ~ ')' -%}
  {%- for attempt in range(100) -%}
    {%- if offshoot.rows_of('select pg_catalog.pg_try_advisory_xact_lock(' ~ key ~ ') as ours')[0].ours -%}{{- return('') -}}{%- endif -%}
    {%- do offshoot.rows_of("select pg_catalog.pg_sleep(0.1)::text as slept") -%}
  {%- endfor -%}
  {%- do offshoot.rows_of(
    "select pg_catalog.pg_terminate_backend(l.pid) as ended from pg_catalog.pg_locks l where l.locktype = 'advisory' and l.granted and l.objsubid = 1 "
    ~ "and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) "
    ~ "and ((l.classid::bigint << 32) | l.objid::bigint) = " ~ key ~ "::bigint and l.pid <> pg_catalog.pg_backend_pid()") -%}
  {%- do offshoot.lock_place(branch) -%}
{% endmacro %}

{% macro postgres__drop_unfinished_place(repository_id, branch) %}
  {%- do offshoot.rows_of("set local lock_timeout = '30s'") -%}
  {%- do offshoot.wrest_place(branch) -%}
  {%- set marks = offshoot.all_marks_of_place(repository_id, branch) -%}
  {%- for mark in marks.values() if mark.get('head') -%}{{- return({'status': 'finished'}) -}}{%- endfor -%}
  {%- if not marks -%}{{- return({'status': 'dropped', 'dropped': []}) -}}{%- endif -%}
  {%- set names = offshoot.branch_schemas(marks.keys() | sort) -%}
  {%- set dependents = offshoot.branch_dependents(names) -%}
  {%- if dependents -%}{{- return({'status': 'refused', 'dependents': dependents}) -}}{%- endif -%}
  {%- do offshoot.implementation('drop_schemas')(names) -%}
  {{- return({'status': 'dropped', 'dropped': names}) -}}
{% endmacro %}

{% macro all_marks_of_place(repository_id, branch) %}
  {%- set found, marks = {}, offshoot.implementation('all_marks')() -%}
  {%- for name, mark in marks.items() if mark is not none and mark.get('branch') == branch and mark.get('repository_id') | string == repository_id | string -%}
    {%- do found.update({name: mark}) -%}
  {%- endfor -%}
  {{- return(found) -}}
{% endmacro %}

{% macro names_only(relations) %}
  {%- set names = [] -%}
  {%- for one in relations -%}{%- do names.append({'schema': one.schema, 'name': one.name}) -%}{%- endfor -%}
  {{- return(names) -}}
{% endmacro %}

{# Undoes what was begun, and says on whose account. #}
{% macro exchange_refused(readers, why) %}
  {%- do offshoot.rows_of('rollback to savepoint offshoot_exchange') -%}
  {%- set dependents = [] -%}
  {%- for reader in readers -%}
    {%- do dependents.append({'schema': reader.schema, 'name': reader.name, 'type': reader.type, 'why': why}) -%}
  {%- endfor -%}
  {{- return({'status': 'refused', 'dependents': dependents}) -}}
{% endmacro %}

{% macro place_of(relations, schema, name) %}
  {%- for one in relations if one.schema == schema and one.name == name -%}{{- return(one) -}}{%- endfor -%}
{% endmacro %}

{% macro place_from(relations, schema, name) %}
  {%- for one in relations if one.from == schema and one.name == name -%}{{- return(one) -}}{%- endfor -%}
{% endmacro %}

{# Runs a statement; the server's words if it did not work, else nothing. #}
{% macro tried(statement) %}
  {%- set body -%}
    begin execute {{ offshoot.quoted_text(statement) }}; perform pg_catalog.set_config('offshoot.problem', '', true);
    exception when others then perform pg_catalog.set_config('offshoot.problem', sqlstate || ' ' || sqlerrm, true); end
  {%- endset -%}
  {%- do offshoot.rows_of('do ' ~ offshoot.quoted_text(body)) -%}
  {{- return(offshoot.rows_of("select pg_catalog.current_setting('offshoot.problem') as problem")[0].problem) -}}
{% endmacro %}

{# What lies outside and needs one of the old relations -> [{schema, name, oid, kind, type, owner, depth}]. What lies in
   a branch's schema is left with the relation that it was built on: it is no reader of production's newest. #}
{% macro outside_readers(old, new) %}
  {%- if not old -%}{{- return([]) -}}{%- endif -%}
  {%- set own = (old + new) | map(attribute='oid') | list -%}
  {%- set sql -%}
    with old as (select oid, reltype from pg_catalog.pg_class where oid in ({{ old | map(attribute='oid') | join(', ') }})),
    objects as (
      select 'pg_catalog.pg_class'::regclass as classid, oid from old
      union all select 'pg_catalog.pg_type'::regclass, t.oid from pg_catalog.pg_type t join old on t.oid = old.reltype or t.typelem = old.reltype and old.reltype <> 0
      union all select 'pg_catalog.pg_constraint'::regclass, k.oid from pg_catalog.pg_constraint k join old on k.conrelid = old.oid
    ),
    uses as (
      select distinct d.classid, d.objid,
             case d.classid
               when 'pg_catalog.pg_rewrite'::regclass then (select ev_class from pg_catalog.pg_rewrite where oid = d.objid)
               when 'pg_catalog.pg_constraint'::regclass then (select nullif(conrelid, 0) from pg_catalog.pg_constraint where oid = d.objid)
               when 'pg_catalog.pg_attrdef'::regclass then (select adrelid from pg_catalog.pg_attrdef where oid = d.objid)
               when 'pg_catalog.pg_trigger'::regclass then (select tgrelid from pg_catalog.pg_trigger where oid = d.objid)
               when 'pg_catalog.pg_policy'::regclass then (select polrelid from pg_catalog.pg_policy where oid = d.objid)
               when 'pg_catalog.pg_class'::regclass then d.objid
             end as relation
      from objects join pg_catalog.pg_depend d on d.refclassid = objects.classid and d.refobjid = objects.oid
      where d.deptype <> 'p'
    )
    select distinct coalesce(n.nspname::text, o.schema) as schema, coalesce(c.relname::text, o.name, o.identity) as name,
           c.oid::text as oid, case when u.classid = 'pg_catalog.pg_rewrite'::regclass then c.relkind::text else 'x' end as kind,
           case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'r' then 'table' else o.type end as type,
           pg_catalog.pg_get_userbyid(c.relowner)::text as owner,
           pg_catalog.obj_description(n.oid, 'pg_namespace') as comment
    from uses u
    cross join lateral pg_catalog.pg_identify_object(u.classid, u.objid, 0) o
    left join pg_catalog.pg_class c on c.oid = u.relation
    left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where (c.oid is null or c.oid not in ({{ own | join(', ') }}) and c.relkind not in ('i', 'I', 'S', 't'))
      and not (u.classid = 'pg_catalog.pg_type'::regclass)
      and o.type not in ('statistics object', 'publication relation', 'toast table', 'sequence', 'index')
      and coalesce(n.nspname::text, '') not like 'pg\_toast%'
    order by 1, 2
  {%- endset -%}
  {%- set readers = [] -%}
  {%- for row in offshoot.rows_of(sql) if offshoot.mark_in(row.comment) is none -%}{%- do readers.append(row) -%}{%- endfor -%}
  {{- return(readers) -}}
{% endmacro %}

{# The views among `facts` with how many of them lie between them and the innermost, innermost first. #}
{% macro innermost_first(facts) %}
  {%- set views = facts | selectattr('kind', 'in', ['v', 'm']) | list -%}
  {%- if not views -%}{{- return([]) -}}{%- endif -%}
  {%- set oids = views | map(attribute='oid') | join(', ') -%}
  {%- set sql -%}
    with recursive edges as (
      select distinct r.ev_class as reader, d.refobjid as source
      from pg_catalog.pg_depend d join pg_catalog.pg_rewrite r on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
      where d.refclassid = 'pg_catalog.pg_class'::regclass and r.ev_class <> d.refobjid
        and r.ev_class in ({{ oids }}) and d.refobjid in ({{ oids }})
    ),
    depths as (
      select oid, 0 as depth from pg_catalog.pg_class where oid in ({{ oids }})
      union
      select e.reader, p.depth + 1 from depths p join edges e on e.source = p.oid where p.depth < 10000
    )
    select oid::text as oid from depths group by oid order by max(depth), 1
  {%- endset -%}
  {%- set ordered = [] -%}
  {%- for row in offshoot.rows_of(sql) -%}
    {%- for view in views if view.oid == row.oid -%}{%- do ordered.append(view) -%}{%- endfor -%}
  {%- endfor -%}
  {{- return(ordered) -}}
{% endmacro %}

{# Takes all locks or none, and waits for none longer than lock_timeout, which is shorter than what makes the server look
   for deadlocks: no reader is ever cancelled. First in the order in which a reader of a view takes them, the view before
   what it reads; readers of several relations have orders of their own, so further attempts try others.
   -> 'locked', 'busy' or the server's words. A view is locked by giving it the owner that it has: LOCK TABLE would lock
   all that it reads as well. #}
{% macro lock_for_exchange(old, readers) %}
  {%- set statements = [] -%}
  {%- for view in offshoot.innermost_first(old + readers) | reverse -%}
    {%- do statements.append('alter table ' ~ offshoot.relation_text(view) ~ ' owner to ' ~ offshoot.quoted(view.owner)) -%}
  {%- endfor -%}
  {%- for table in old if table.kind in ('r', 'p', 'f') -%}
    {%- do statements.append('lock table only ' ~ offshoot.relation_text(table) ~ ' in access exclusive mode') -%}
  {%- endfor -%}
  {%- if not statements -%}{{- return('locked') -}}{%- endif -%}
  {%- for attempt in range(24) -%}
    {%- set order = statements if attempt == 0 else statements | reverse | list if attempt == 1 else offshoot.shuffled(statements) -%}
    {%- set problem = offshoot.tried_all(order) -%}
    {%- if not problem -%}{{- return('locked') -}}{%- endif -%}
    {%- if problem[:5] not in ('55P03', '40P01') -%}{{- return(problem) -}}{%- endif -%}
  {%- endfor -%}
  {{- return('busy') -}}
{% endmacro %}

{% macro shuffled(list) %}
  {%- set order = [] -%}
  {%- for row in offshoot.rows_of('select i::text as i from pg_catalog.generate_series(0, ' ~ (list | length - 1) ~ ') i order by pg_catalog.random()') -%}
    {%- do order.append(list[row.i | int]) -%}
  {%- endfor -%}
  {{- return(order) -}}
{% endmacro %}

{% macro tried_all(statements) %}
  {%- set body -%}
    begin {{ statements | join('; ') }}; perform pg_catalog.set_config('offshoot.problem', '', true);
    exception when others then perform pg_catalog.set_config('offshoot.problem', sqlstate || ' ' || sqlerrm, true); end
  {%- endset -%}
  {%- do offshoot.rows_of('do ' ~ offshoot.quoted_text(body)) -%}
  {{- return(offshoot.rows_of("select pg_catalog.current_setting('offshoot.problem') as problem")[0].problem) -}}
{% endmacro %}

{# `create view` of what the view `fact` is, under another name; `schemas` {old: new} are renamed in its text, names and
   literals alike. #}
{% macro view_statement(fact, under, replace, schemas) %}
  {%- set about = offshoot.rows_of(
    "select pg_catalog.pg_get_viewdef(oid) as text, pg_catalog.array_to_string(reloptions, ', ') as options "
    ~ "from pg_catalog.pg_class where oid = " ~ fact.oid)[0] -%}
  {%- set texts = [about.text] -%}
  {%- for old_name, new_name in schemas.items() -%}
    {%- set word = modules.re.escape(old_name) -%}
    {%- set dotted = modules.re.sub('(?<![\\w"])"?' ~ word ~ '"?\\.(?=["\\w])', (offshoot.quoted(new_name) ~ '.').replace('\\', '\\\\'), texts[-1]) -%}
    {%- do texts.append(modules.re.sub('(?<!\\w)' ~ word ~ '(?!\\w)', new_name.replace('\\', '\\\\'), dotted)) -%}
  {%- endfor -%}
  {{- return(('create or replace view ' if replace else 'create view ') ~ offshoot.relation_text(under)
    ~ (' with (' ~ about.options ~ ')' if about.options else '') ~ ' as ' ~ texts[-1]) -}}
{% endmacro %}

{# dbt makes the schemas that it builds in; those of production, which may be new, are left to the exchange. #}
{% macro create_missing_schemas(names) %}
  {%- set there = [] -%}
  {%- for row in offshoot.rows_of('select nspname::text as name from pg_catalog.pg_namespace where nspname::text in (' ~ offshoot.quoted_texts(names) ~ ')') -%}
    {%- do there.append(row.name) -%}
  {%- endfor -%}
  {%- for name in names | unique if name not in there -%}
    {%- do offshoot.rows_of('create schema if not exists ' ~ offshoot.quoted(name)) -%}
  {%- endfor -%}
{% endmacro %}

{% macro move_in(relations, old, new, views) %}
  {%- set schemas = {} -%}
  {%- for one in relations if one.from is not none -%}{%- do schemas.update({one.from: one.schema}) -%}{%- endfor -%}
  {%- if schemas -%}{%- do offshoot.create_missing_schemas(schemas.values() | list) -%}{%- endif -%}
  {%- set created = offshoot.innermost_first(new | selectattr('kind', 'equalto', 'v') | list) if views == 'create' else [] -%}
  {%- for fact in new if fact not in created -%}
    {%- set place = offshoot.place_from(relations, fact.schema, fact.name) -%}
    {%- do offshoot.rows_of('alter table ' ~ offshoot.relation_text(fact) ~ ' set schema ' ~ offshoot.quoted(place.schema)) -%}
    {%- if place.fresh -%}
      {%- do offshoot.grant_each(offshoot.default_grants(place.schema, fact.owner), offshoot.relation_text(place)) -%}
    {%- else -%}
      {%- for before in old if before.schema == place.schema and before.name == place.name and before.owner != fact.owner -%}
        {%- do offshoot.rows_of('alter table ' ~ offshoot.relation_text(place) ~ ' owner to ' ~ offshoot.quoted(before.owner)) -%}
      {%- endfor -%}
    {%- endif -%}
  {%- endfor -%}
  {%- for fact in created -%}
    {%- set place = offshoot.place_from(relations, fact.schema, fact.name) -%}
    {%- do offshoot.rows_of(offshoot.view_statement(fact, place, false, schemas)) -%}
    {%- do offshoot.grant_as(fact, offshoot.relation_text(place)) -%}
    {%- do offshoot.comment_as('view', fact, place) -%}
  {%- endfor -%}
  {%- for fact in created | reverse -%}
    {%- do offshoot.rows_of('drop view ' ~ offshoot.relation_text(fact) ~ ' restrict') -%}
  {%- endfor -%}
{% endmacro %}

{# What ALTER DEFAULT PRIVILEGES IN SCHEMA gives to a table that its owner makes there. #}
{% macro default_grants(schema, owner) %}
  {%- set sql -%}
    select a.privilege_type as privilege, ''::text as on_column, a.is_grantable as grantable,
           case when a.grantee = 0 then null else pg_catalog.pg_get_userbyid(a.grantee)::text end as role
    from pg_catalog.pg_default_acl d join pg_catalog.pg_namespace n on n.oid = d.defaclnamespace
    cross join lateral pg_catalog.aclexplode(d.defaclacl) a
    where n.nspname::text = {{ offshoot.quoted_text(schema) }} and d.defaclobjtype = 'r' and a.grantee <> d.defaclrole
      and pg_catalog.pg_get_userbyid(d.defaclrole)::text = {{ offshoot.quoted_text(owner) }}
  {%- endset -%}
  {{- return(offshoot.rows_of(sql)) -}}
{% endmacro %}

{# The comments of a table or view and its columns, on the one that was made of it. #}
{% macro comment_as(kind, fact, place) %}
  {%- set sql -%}
    select d.description as text, a.attname::text as on_column
    from pg_catalog.pg_description d left join pg_catalog.pg_attribute a on a.attrelid = d.objoid and a.attnum = d.objsubid and d.objsubid > 0
    where d.classoid = 'pg_catalog.pg_class'::regclass and d.objoid = {{ fact.oid }}
  {%- endset -%}
  {%- for row in offshoot.rows_of(sql) -%}
    {%- set what = kind ~ ' ' ~ offshoot.relation_text(place) if row.on_column is none
        else 'column ' ~ offshoot.relation_text(place) ~ '.' ~ offshoot.quoted(row.on_column) -%}
    {%- do offshoot.rows_of('comment on ' ~ what ~ ' is ' ~ offshoot.quoted_text(row.text)) -%}
  {%- endfor -%}
{% endmacro %}

{% macro drop_empty_schemas(schemas) %}
  {%- if not schemas -%}{{- return('') -}}{%- endif -%}
  {%- set sql -%}
    select n.nspname::text as name from pg_catalog.pg_namespace n
    where n.nspname::text in ({{ offshoot.quoted_texts(schemas) }})
      and not exists (select from pg_catalog.pg_depend d
                      where d.refclassid = 'pg_catalog.pg_namespace'::regclass and d.refobjid = n.oid)
  {%- endset -%}
  {%- for row in offshoot.rows_of(sql) if offshoot.marks_of([row.name]).get(row.name) is not none -%}
    {%- do offshoot.rows_of('drop schema ' ~ offshoot.quoted(row.name) ~ ' restrict') -%}
  {%- endfor -%}
{% endmacro %}

{# Dropped in passes: what reads another goes before it. #}
{% macro postgres__drop_removed_relations(relations) %}
  {%- do offshoot.rows_of("set local search_path = ''") -%}
  {%- set dropped, state = [], {'left': offshoot.relation_facts(relations)} -%}
  {%- for pass in range(state.left | length) if state.left -%}
    {%- set still = [] -%}
    {%- for fact in state.left -%}
      {%- set kind = {'v': 'view', 'm': 'materialized view', 'f': 'foreign table'}.get(fact.kind, 'table') -%}
      {%- set problem = offshoot.tried('drop ' ~ kind ~ ' ' ~ offshoot.relation_text(fact) ~ ' restrict') -%}
      {%- if problem -%}
        {%- do still.append({'schema': fact.schema, 'name': fact.name, 'kind': fact.kind, 'why': problem[6:]}) -%}
      {%- else -%}
        {%- do dropped.append({'schema': fact.schema, 'name': fact.name}) -%}
      {%- endif -%}
    {%- endfor -%}
    {%- do state.update({'left': still}) -%}
  {%- endfor -%}
  {{- return({'dropped': dropped, 'kept': state.left}) -}}
{% endmacro %}

{% macro postgres__droppable_schemas(schemas) %}
  {%- set names = [] -%}
  {%- for row in offshoot.rows_of(
      "select nspname::text as name from pg_catalog.pg_namespace where pg_catalog.pg_has_role(nspowner, 'usage') "
      ~ "and nspname::text in (" ~ offshoot.quoted_texts(schemas) ~ ") order by 1") -%}
    {%- do names.append(row.name) -%}
  {%- endfor -%}
  {{- return(names) -}}
{% endmacro %}
