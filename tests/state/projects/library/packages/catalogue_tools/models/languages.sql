select '{{ var("default_language", "en") }}' as code, 'English' as name
