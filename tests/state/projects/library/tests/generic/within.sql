{% test within(model, column_name, low=0, high=100) %}
    {{ config(severity='warn') }}
    select {{ column_name }} from {{ model }} where {{ outside(column_name, low, high) }}
{% endtest %}
