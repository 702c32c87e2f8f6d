select missing_column from {{ ref('people') }}
