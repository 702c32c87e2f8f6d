{% macro say_done() %}select 2{% endmacro %}
