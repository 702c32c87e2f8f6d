{% macro clean_text(column) -%}
    {{ return(adapter.dispatch('clean_text', 'catalogue_tools')(column)) }}
{%- endmacro %}

{% macro default__clean_text(column) -%}
    trim({{ column }})
{%- endmacro %}

{% macro postgres__clean_text(column) -%}
    btrim({{ column }})
{%- endmacro %}

{% macro no_blanks(column) -%}
    {{ column }} = {{ catalogue_tools.clean_text(column) }}
{%- endmacro %}
