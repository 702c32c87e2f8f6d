{#-
    A query of one column, date_day: each day from the first to the last, both included.
    dbt's own date_spine asks the warehouse while it compiles; this one compiles without a connection.
-#}
{%- macro days_from_to(first_day, last_day) -%}
    select cast(series.date_day as date) as date_day
    from generate_series(
        cast('{{ first_day }}' as timestamp),
        cast('{{ last_day }}' as timestamp),
        interval '1 day'
    ) as series (date_day)
{%- endmacro -%}
