{{ config(indexes=[{'columns': ['order_id'], 'unique': true}] if target.type == 'postgres' else [], persist_docs={'relation': true, 'columns': true}) }}
select order_id, code, amount, 1 as version from {{ source('raw', 'orders') }}
