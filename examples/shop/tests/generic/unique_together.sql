{#- No two rows have the same values in these columns: the columns are the grain of the model. -#}
{% test unique_together(model, columns) %}

    select {{ columns | join(', ') }}
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1

{% endtest %}
