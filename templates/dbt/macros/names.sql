{# Names and text that go into SQL: the only place where either is quoted. #}

{# The name as a quoted identifier. Refuses names that no warehouse of ours would store unchanged. #}
{% macro quoted(name) %}
  {%- do offshoot.require_name(name) -%}
  {{- return('"' ~ name.replace('"', '""') ~ '"') -}}
{% endmacro %}

{# Fails unless `name` is text of 1 to 63 bytes (PostgreSQL cuts longer ones silently) without control characters. #}
{% macro require_name(name) %}
  {%- if name is not string or name | length == 0 -%}
    {%- do exceptions.raise_compiler_error("offshoot: a name must be text that is not empty") -%}
  {%- endif -%}
  {%- if name.encode('utf-8', 'surrogatepass') | length > 63 -%}
    {%- do exceptions.raise_compiler_error("offshoot: a name is longer than 63 bytes: " ~ name[:80]) -%}
  {%- endif -%}
  {%- if modules.re.search('[\\x00-\\x1f\\x7f\\ud800-\\udfff]', name) -%}
    {%- do exceptions.raise_compiler_error("offshoot: a name holds a control character") -%}
  {%- endif -%}
{% endmacro %}

{# Text as a literal. #}
{% macro quoted_text(text) %}
  {%- if modules.re.search('\\x00', text) -%}
    {%- do exceptions.raise_compiler_error("offshoot: text holds a NUL") -%}
  {%- endif -%}
  {{- return(adapter.dispatch('quoted_text')(text)) -}}
{% endmacro %}

{% macro default__quoted_text(text) %}
  {{- return("'" ~ text.replace("'", "''") ~ "'") -}}
{% endmacro %}

{# E'' means the same whatever standard_conforming_strings says. #}
{% macro postgres__quoted_text(text) %}
  {{- return("E'" ~ text.replace("\\", "\\\\").replace("'", "''") ~ "'") -}}
{% endmacro %}

{# Several texts as literals between commas. Never an empty list: SQL has none. #}
{% macro quoted_texts(texts) %}
  {%- set literals = [] -%}
  {%- for text in texts -%}{%- do literals.append(offshoot.quoted_text(text)) -%}{%- endfor -%}
  {{- return(literals | join(', ')) -}}
{% endmacro %}

{# The schemas to work on, each once. Refuses an empty list and schemas that can be no branch's. #}
{% macro branch_schemas(schemas) %}
  {%- if schemas is string or not schemas -%}
    {%- do exceptions.raise_compiler_error("offshoot: a list of schemas is needed") -%}
  {%- endif -%}
  {%- set names = [] -%}
  {%- for name in schemas -%}
    {%- do offshoot.require_name(name) -%}
    {%- set lower = name | lower -%}
    {%- if lower in ('public', 'main', 'temp', 'system', 'information_schema') or lower[:3] == 'pg_' -%}
      {%- do exceptions.raise_compiler_error("offshoot: '" ~ name ~ "' cannot be a branch's schema") -%}
    {%- endif -%}
    {%- if name not in names -%}{%- do names.append(name) -%}{%- endif -%}
  {%- endfor -%}
  {{- return(names) -}}
{% endmacro %}
