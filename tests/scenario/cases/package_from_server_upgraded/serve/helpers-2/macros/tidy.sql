{% macro tidy(column) %}upper(trim({{ column }})){% endmacro %}
