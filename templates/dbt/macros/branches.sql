{# A branch's schemas: making, finding and dropping them. Each entry macro is one transaction of its caller's. #}

{# Creates the schemas, each with its mark, or none at all. A schema that bears our mark already is kept and its
   mark renewed; one that exists without a mark or with another's is left alone, and so are all the others.
   -> {status: 'ready', created: [...], kept: [...]} or {status: 'foreign', schema, mark} #}
{% macro create_branch(schemas, mark) %}
  {%- set names = offshoot.branch_schemas(schemas) -%}
  {%- do offshoot.mark_text(mark) -%}
  {%- set existing = offshoot.marks_of(names) -%}
  {%- for name in names if name in existing and not offshoot.same_owner(existing[name], mark) -%}
    {{- return({'status': 'foreign', 'schema': name, 'mark': existing[name]}) -}}
  {%- endfor -%}
  {%- set created, kept = [], [] -%}
  {%- for name in names -%}
    {%- if name in existing -%}
      {%- do offshoot.implementation('renew_schema')(name, offshoot.renewed_mark(existing[name], mark)) -%}
      {%- do kept.append(name) -%}
    {%- else -%}
      {%- do offshoot.implementation('create_marked_schema')(name, mark) -%}
      {%- do created.append(name) -%}
    {%- endif -%}
  {%- endfor -%}
  {{- return({'status': 'ready', 'created': created, 'kept': kept}) -}}
{% endmacro %}

{# Every schema with a mark whose name begins with `prefix` -> [{schema, mark}], by name. A mark in `main` is its whole
   file's: see read_database_mark. #}
{% macro list_branches(prefix='') %}
  {%- set found = [] -%}
  {%- set marks = offshoot.implementation('all_marks')() -%}
  {%- for name in marks | sort if name.startswith(prefix) and marks[name] is not none and name != 'main' -%}
    {%- do found.append({'schema': name, 'mark': marks[name]}) -%}
  {%- endfor -%}
  {{- return(found) -}}
{% endmacro %}

{# What lies outside the schemas and needs something inside -> [{schema, name, type, uses}]. #}
{% macro branch_dependents(schemas) %}
  {{- return(offshoot.implementation('branch_dependents')(offshoot.branch_schemas(schemas))) -}}
{% endmacro %}

{# Drops the schemas, object by object and never with CASCADE, if every one that exists bears the mark of `mark`'s
   owner and nothing outside needs them; otherwise drops nothing.
   -> {status: 'dropped', dropped: [...], absent: [...]}, {status: 'foreign', schema, mark}
   or {status: 'refused', dependents: [...]} #}
{% macro drop_branch(schemas, mark) %}
  {%- set names = offshoot.branch_schemas(schemas) -%}
  {%- do offshoot.mark_text(mark) -%}
  {%- set existing = offshoot.marks_of(names) -%}
  {%- set present, absent = [], [] -%}
  {%- for name in names -%}
    {%- if name not in existing -%}
      {%- do absent.append(name) -%}
    {%- elif offshoot.same_owner(existing[name], mark) -%}
      {%- do present.append(name) -%}
    {%- else -%}
      {{- return({'status': 'foreign', 'schema': name, 'mark': existing[name]}) -}}
    {%- endif -%}
  {%- endfor -%}
  {%- if present -%}
    {%- set dependents = offshoot.implementation('branch_dependents')(present) -%}
    {%- if dependents -%}
      {{- return({'status': 'refused', 'dependents': dependents}) -}}
    {%- endif -%}
    {%- do offshoot.implementation('drop_schemas')(present) -%}
  {%- endif -%}
  {{- return({'status': 'dropped', 'dropped': present, 'absent': absent}) -}}
{% endmacro %}

{# {name: mark or none} of those of `names` that exist. #}
{% macro marks_of(names) %}
  {%- set all_marks = offshoot.implementation('all_marks')(names) -%}
  {%- set found = {} -%}
  {%- for name in names if name in all_marks -%}{%- do found.update({name: all_marks[name]}) -%}{%- endfor -%}
  {{- return(found) -}}
{% endmacro %}

{# What this login could write in the schemas -> [{schema, what}]. #}
{% macro write_privileges(schemas) %}
  {%- for name in schemas -%}{%- do offshoot.require_name(name) -%}{%- endfor -%}
  {{- return(offshoot.implementation('write_privileges')(schemas) if schemas else []) -}}
{% endmacro %}

{# Marks the whole database, a branch's own file. `fresh` says that the caller has just made it: a database with
   contents and no mark is otherwise foreign. -> {status: 'created' or 'kept'} or {status: 'foreign', mark} #}
{% macro create_database_mark(mark, fresh=false) %}
  {%- do offshoot.mark_text(mark) -%}
  {{- return(offshoot.implementation('create_database_mark')(mark, fresh)) -}}
{% endmacro %}

{# The mark of the whole database, or none. #}
{% macro read_database_mark() %}
  {{- return(offshoot.implementation('read_database_mark')()) -}}
{% endmacro %}

{% macro default__create_marked_schema(name, mark) %}{{- offshoot.unsupported() -}}{% endmacro %}
{% macro default__renew_schema(name, mark) %}{{- offshoot.unsupported() -}}{% endmacro %}
{% macro default__all_marks(names=none) %}{{- offshoot.unsupported() -}}{% endmacro %}
{% macro default__branch_dependents(schemas) %}{{- offshoot.unsupported() -}}{% endmacro %}
{% macro default__drop_schemas(schemas) %}{{- offshoot.unsupported() -}}{% endmacro %}
{% macro default__write_privileges(schemas) %}{{- offshoot.unsupported() -}}{% endmacro %}
{% macro default__create_database_mark(mark, fresh) %}{{- offshoot.unsupported() -}}{% endmacro %}
{% macro default__read_database_mark() %}{{- offshoot.unsupported() -}}{% endmacro %}
