{% macro rounded(value) %}round({{ value }}, 4){% endmacro %}
