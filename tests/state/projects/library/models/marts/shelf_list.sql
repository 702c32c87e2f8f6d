{{ config(materialized='listing', tags=['slow', 'shelf']) }}
select books.book_id, books.title, languages.language
from {{ ref('stg_books') }} as books
left join {{ ref('int_book_languages') }} as languages on languages.book_id = books.book_id
