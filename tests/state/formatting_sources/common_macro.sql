{# Two macros and a test. #}
{% macro money(column, places=2) -%}
    round({{ column }} / 100.0, {{ places }})  -- cents
{%- endmacro %}

{% macro names(prefix) %}
  {% set found = [] %}
  {% for name in ['a', 'b'] %}
    {% do found.append(prefix ~ '_' ~ name) %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{% test positive(model, column_name) %}
select * from {{ model }} where {{ column_name }} <= 0
{% endtest %}
