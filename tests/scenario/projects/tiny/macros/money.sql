{% macro money(cents) %}{{ rounded(cents ~ ' / 100.0') }}{% endmacro %}
