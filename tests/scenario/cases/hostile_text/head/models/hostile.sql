-- @octocat <img src=x onerror=alert(1)>
{{ log("\n::set-output name=evil::1\n##[group]evil\n\x1b[31mred", info=true) }}
select error('{{ "@octocat <script>alert(1)</script> [x](javascript:alert(1)) ![i](https://evil.example/x.png)\n::set-output name=evil::1\n##[error]evil\r::error::evil\n```\n</details>\x1b[31m" }}') as failure
