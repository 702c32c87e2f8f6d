select * from {{ ref('mart_people') }} where name is null
