#!/usr/bin/env bash
# Prometheus and Alertmanager from the system's packages: found, or installed where the user may,
# else one line that names the command to run. Chromium and PostgreSQL too in CI, for the tests of the page and the store.
set -euo pipefail

missing=()
command -v prometheus >/dev/null && command -v promtool >/dev/null || missing+=(prometheus)
command -v prometheus-alertmanager >/dev/null || command -v alertmanager >/dev/null || missing+=(prometheus-alertmanager)
if [[ "${CI:-}" == true ]]; then
    command -v chromium >/dev/null || missing+=(chromium)
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || missing+=(postgresql)
fi
[[ ${#missing[@]} -eq 0 ]] && exit 0

if [[ "$(uname)" == Darwin ]]; then
    echo "Trimtab needs Prometheus and Alertmanager: run 'brew install prometheus alertmanager'" >&2
    exit 2
fi
command="apt-get install -y --no-install-recommends ${missing[*]}"
if [[ $EUID -ne 0 ]] || ! command -v apt-get >/dev/null; then
    echo "Trimtab needs ${missing[*]}: run 'sudo $command' (or 'make demo ARGS=--embedded', which needs neither)" >&2
    exit 2
fi
echo "servers: $command"
log=$(mktemp)
if ! { apt-get update && DEBIAN_FRONTEND=noninteractive $command; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "servers: '$command' failed; its last lines are above" >&2
    exit 2
fi
rm -f "$log"
