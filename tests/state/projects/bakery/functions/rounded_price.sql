round({{ function('net_of_tax') }}(price), 1)
