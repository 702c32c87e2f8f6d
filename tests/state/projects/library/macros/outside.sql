{% macro outside(column, low, high) -%}
    {{ column }} < {{ low }} or {{ column }} > {{ high }}
{%- endmacro %}
