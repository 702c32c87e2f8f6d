{% macro leave_mark() %}select 2{% endmacro %}
