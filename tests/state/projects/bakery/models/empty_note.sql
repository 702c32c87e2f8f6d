{# Nothing yet. #}
