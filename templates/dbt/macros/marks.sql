{# The ownership mark: a JSON object that says whose a schema or a database file is. The key `offshoot` tells it
   from other JSON; `repository_id` with `pull_request`, else with `branch`, is its identity. #}

{% macro mark_text(mark) %}
  {%- if mark is not mapping or not mark.get('repository_id') or (mark.get('pull_request') is none and not mark.get('branch')) -%}
    {%- do exceptions.raise_compiler_error(
      "offshoot: a mark needs repository_id, and pull_request or branch") -%}
  {%- endif -%}
  {%- set whole = {'offshoot': 1} -%}
  {%- do whole.update(mark) -%}
  {{- return(tojson(whole, sort_keys=true)) -}}
{% endmacro %}

{# The mark in a text, or none where the text is anything else. #}
{% macro mark_in(text) %}
  {%- set mark = fromjson(text, none) if text is string else none -%}
  {%- if mark is mapping and mark.get('offshoot') and mark.get('repository_id') -%}
    {{- return(mark) -}}
  {%- endif -%}
  {{- return(none) -}}
{% endmacro %}

{# Whether two marks name the same owner. Identities compare as text: 7 and "7" are one pull request. #}
{% macro same_owner(mark, other) %}
  {%- if mark is none or other is none or mark.get('repository_id') | string != other.get('repository_id') | string -%}
    {{- return(false) -}}
  {%- endif -%}
  {%- if mark.get('pull_request') is not none or other.get('pull_request') is not none -%}
    {{- return(mark.get('pull_request') | string == other.get('pull_request') | string) -}}
  {%- endif -%}
  {{- return(mark.get('branch') is string and mark.get('branch') == other.get('branch')) -}}
{% endmacro %}

{# `mark`, created when `existing` was. #}
{% macro renewed_mark(existing, mark) %}
  {%- set renewed = {} -%}
  {%- do renewed.update(mark) -%}
  {%- if existing.get('created') is not none -%}{%- do renewed.update({'created': existing.get('created')}) -%}{%- endif -%}
  {{- return(renewed) -}}
{% endmacro %}
