{#- What an order line comes to, in money, given columns that count in cents. -#}
{%- macro line_amount(quantity, unit_price_cents, discount_cents='0') -%}
    {{ cents_to_money(quantity ~ ' * ' ~ unit_price_cents ~ ' - ' ~ discount_cents) }}
{%- endmacro -%}
