{{ config(enabled=var('with_history', true), meta={'tier': 2}) }}
select history.* from {{ ref('members_history') }} as history
