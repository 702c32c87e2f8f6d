{% macro days_between(from, to) -%}
    {{ return(adapter.dispatch('days_between')(from, to)) }}
{%- endmacro %}

{% macro default__days_between(from, to) -%}
    ({{ to }} - {{ from }})
{%- endmacro %}

{% macro duckdb__days_between(from, to) -%}
    date_diff('day', {{ from }}, {{ to }})
{%- endmacro %}

{% macro postgres__days_between(from, to) -%}
    ({{ to }}::date - {{ from }}::date)
{%- endmacro %}

{% macro is_overdue(due_on, returned_on) -%}
    {{ late_days(due_on, returned_on) }} > {{ var('overdue_after_days') }}
{%- endmacro %}

{% macro late_days(due_on, returned_on) -%}
    {{ days_between(due_on, 'coalesce(' ~ returned_on ~ ', current_date)') }}
{%- endmacro %}

{% macro never_called() -%}
    1
{%- endmacro %}
