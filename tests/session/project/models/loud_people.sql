select count(*) as n, '{{ graph.nodes | length }}' as nodes_in_graph from {{ ref('view_people') }}
