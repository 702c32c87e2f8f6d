{% macro tidy(column) %}trim({{ column }}){% endmacro %}
