# What the scripts in ci/ share. Source it: it goes to the repository's root and sets the names of things.
# shellcheck shell=bash
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
venv=$root/.venv
tools=$root/.tools
export PATH=$venv/bin:$tools/bin:$PATH
export DBT_SEND_ANONYMOUS_USAGE_STATS=false DO_NOT_TRACK=1

say() { printf '\n== %s\n' "$*" >&2; }
die() { printf '%s\n' "$*" >&2; exit 3; }
