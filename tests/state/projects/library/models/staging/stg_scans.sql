select * from {{ source('archive', 'scans') }}
