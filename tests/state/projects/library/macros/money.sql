{% macro fine(days) -%}
    {{ rounded(days ~ ' * ' ~ rate()) }}
{%- endmacro %}

{% macro rate() %}0.20{% endmacro %}

{% macro rounded(expression) -%}
    round({{ expression }}, 2)
{%- endmacro %}

{# Overrides the package's own through the search order of `dispatch`. #}
{% macro default__clean_text(column) -%}
    trim(lower({{ column }}))
{%- endmacro %}
