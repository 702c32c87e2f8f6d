{% macro doubled(value) %}2 * {{ value }}{% endmacro %}
