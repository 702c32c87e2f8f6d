select * from {{ ref('mart_people') }}
