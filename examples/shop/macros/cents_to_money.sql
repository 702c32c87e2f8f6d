{#- The raw tables count in cents; from staging on, money is a decimal of two places. -#}
{%- macro cents_to_money(cents) -%}
    cast(({{ cents }}) / 100.0 as numeric(16, 2))
{%- endmacro -%}
