{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- elif target.name == 'prod' -%}
        {{ custom_schema_name | trim }}
    {%- else -%}
        {{ target.schema }}_{{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- if custom_alias_name -%}{{ custom_alias_name | trim }}
    {%- elif node.version -%}{{ node.name ~ "_v" ~ (node.version | replace(".", "_")) }}
    {%- elif node.name.startswith('loud_') -%}{{ node.name ~ '_' ~ target.name }}
    {%- else -%}{{ node.name }}{%- endif -%}
{%- endmacro %}
