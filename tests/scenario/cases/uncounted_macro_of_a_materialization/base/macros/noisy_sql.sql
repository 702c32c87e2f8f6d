{% macro noisy_sql(sql) %}{{ sql }}{% endmacro %}
