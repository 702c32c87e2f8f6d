{% macro opens_at(day) %}{{ catalogue_tools.clean_text(day) }} || ' 9:00'{% endmacro %}
