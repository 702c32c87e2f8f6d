{#- The part of the revenue that is left when the goods are paid for: 0.25 is a quarter. -#}
{%- macro margin_rate(revenue, cost) -%}
    {{ shop_utils.safe_divide('(' ~ revenue ~ ' - ' ~ cost ~ ')', revenue) }}
{%- endmacro -%}
