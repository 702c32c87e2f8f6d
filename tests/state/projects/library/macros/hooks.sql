{% macro note_run(moment) %}
    {% do log('run ' ~ moment) %}
    select 1
{% endmacro %}

{% macro grant_reading(relation) %}
    {{ comment_line('readers of ' ~ relation) }}
    select 1
{% endmacro %}

{% macro comment_line(text) -%}
    -- {{ text }}
{%- endmacro %}
