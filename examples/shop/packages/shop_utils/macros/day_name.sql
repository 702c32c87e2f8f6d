{#- The English name of a date's weekday: Monday. -#}
{%- macro day_name(date) -%}
    {{ return(adapter.dispatch('day_name', 'shop_utils')(date)) }}
{%- endmacro -%}

{%- macro default__day_name(date) -%}
    to_char({{ date }}, 'FMDay')
{%- endmacro -%}

{%- macro duckdb__day_name(date) -%}
    dayname({{ date }})
{%- endmacro -%}
