{% macro say_done() %}select 1{% endmacro %}
