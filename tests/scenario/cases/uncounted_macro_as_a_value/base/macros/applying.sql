{% macro applying(function, value) %}{{ function(value) }}{% endmacro %}
