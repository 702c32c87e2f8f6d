{% test is_trimmed(model, column_name) %}
    select * from {{ model }} where not ({{ catalogue_tools.no_blanks(column_name) }})
{% endtest %}

{% test is_positive(model, column_name) %}
    select * from {{ model }} where {{ column_name }} <= 0
{% endtest %}
