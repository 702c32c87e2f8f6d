{{ config(post_hook="{{ leave_mark() }}") }}
select 1 as a
