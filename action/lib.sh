# SPDX-License-Identifier: Apache-2.0
# What the scripts of the action share. Source it.
# shellcheck shell=bash
set -euo pipefail

say() { printf 'offshoot: %s\n' "$*" >&2; }
# A message with what to do, and the exit status that offshoot itself would end with.
die() { # status, message, hint
  printf 'offshoot: %s\n  %s\n' "$2" "$3" >&2
  exit "$1"
}

# Sets an output of this step. Values are one line: a path, a key, a word.
output() { # name, value
  case $2 in *[$'\n\r']*) die 5 "the output $1 has a line break in it" "rename the file or folder that it names" ;; esac
  printf '%s=%s\n' "$1" "$2" >> "$GITHUB_OUTPUT"
}

# Runs a program without the job's secrets: what installs a dbt environment runs code of the packages in it.
without_secrets() {
  env -i PATH="$PATH" HOME="$HOME" LANG="${LANG:-C.UTF-8}" TMPDIR="${RUNNER_TEMP:-/tmp}" \
    ${HTTP_PROXY:+HTTP_PROXY="$HTTP_PROXY"} ${HTTPS_PROXY:+HTTPS_PROXY="$HTTPS_PROXY"} ${NO_PROXY:+NO_PROXY="$NO_PROXY"} \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} ${no_proxy:+no_proxy="$no_proxy"} \
    ${SSL_CERT_FILE:+SSL_CERT_FILE="$SSL_CERT_FILE"} ${REQUESTS_CA_BUNDLE:+REQUESTS_CA_BUNDLE="$REQUESTS_CA_BUNDLE"} \
    ${PIP_INDEX_URL:+PIP_INDEX_URL="$PIP_INDEX_URL"} ${PIP_CONFIG_FILE:+PIP_CONFIG_FILE="$PIP_CONFIG_FILE"} \
    ${PIP_CACHE_DIR:+PIP_CACHE_DIR="$PIP_CACHE_DIR"} ${UV_INDEX_URL:+UV_INDEX_URL="$UV_INDEX_URL"} "$@"
}
