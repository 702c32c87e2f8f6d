{#- No value of the column is below the minimum. Nulls pass. -#}
{% test at_least(model, column_name, minimum=0) %}

    select {{ column_name }}
    from {{ model }}
    where {{ column_name }} < {{ minimum }}

{% endtest %}
