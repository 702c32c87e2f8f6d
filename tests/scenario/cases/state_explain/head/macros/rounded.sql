{% macro rounded(value) %}round({{ value }}, 3){% endmacro %}
