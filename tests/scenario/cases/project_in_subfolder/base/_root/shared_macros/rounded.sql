{% macro rounded(value) %}round({{ value }}, 2){% endmacro %}
