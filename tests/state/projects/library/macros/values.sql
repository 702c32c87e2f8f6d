{# Passes a macro as a value, which dbt does not see. #}
{% macro shelf_marks() -%}
    {{ return(apply_to(['A', 'B'], quoted)) }}
{%- endmacro %}

{% macro apply_to(items, how) -%}
    {% for item in items %}{{ how(item) }}{% if not loop.last %}, {% endif %}{% endfor %}
{%- endmacro %}

{% macro quoted(text) -%}
    '{{ text }}'
{%- endmacro %}
