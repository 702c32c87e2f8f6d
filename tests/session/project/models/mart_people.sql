{{ config(schema='marts', alias='people_mart') }}
select e.id, e.name, s.amount
from {{ ref('eph_people') }} e
left join {{ source('shop', 'orders') }} s on s.person_id = e.id
