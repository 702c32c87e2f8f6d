select token
from {{ ref('curious') }}
where token != 'absent' or aws_key != 'absent' or input != 'absent' or seen
