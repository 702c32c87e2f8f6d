{% macro noisy_sql(sql) %}/* loud */ {{ sql }}{% endmacro %}
