{% macro rounded(value) %}round({{ value }}, 2){% endmacro %}
{% set digits = 2 %}
