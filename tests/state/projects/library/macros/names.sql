{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema }}{% if custom_schema_name %}_{{ custom_schema_name | trim }}{% endif %}
{%- endmacro %}

{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {{ custom_alias_name | trim if custom_alias_name else prefixed(node.name) }}
{%- endmacro %}

{% macro generate_database_name(custom_database_name=none, node=none) -%}
    {{ target.database }}
{%- endmacro %}

{% macro prefixed(name) -%}
    {{ name }}
{%- endmacro %}
