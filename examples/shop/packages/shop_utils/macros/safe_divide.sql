{#- A ratio to four places; null where there is nothing to divide by. -#}
{%- macro safe_divide(numerator, denominator) -%}
    cast(
        cast({{ numerator }} as numeric(28, 6)) / nullif({{ denominator }}, 0) as numeric(18, 4)
    )
{%- endmacro -%}
