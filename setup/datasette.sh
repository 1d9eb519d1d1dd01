#!/bin/sh
# Opens Datasette on the traces, with what this machine has; otherwise says what to type.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
# As the other programs do: the environment first, then the settings file, then the default.
settings=${DUAL_ENV_FILE:-$root/.env.wsl}
database=${TRACE_SQLITE_PATH:-}
if [ -z "$database" ] && [ -f "$settings" ]; then
  database=$(sed -n 's/^[[:space:]]*TRACE_SQLITE_PATH[[:space:]]*=[[:space:]]*//p' "$settings" | tail -n 1 | tr -d "\"'\r")
fi
database=${database:-logs/traces.db}
case $database in /*) ;; *) database=$root/$database ;; esac
if [ ! -f "$database" ]; then
  echo "datasette  no $database yet. Type: make traces" >&2
  exit 1
fi
if command -v datasette >/dev/null 2>&1; then
  open=datasette
elif command -v uvx >/dev/null 2>&1; then
  open='uvx datasette'
else
  echo 'datasette  looked for datasette and uvx on PATH: none. Type: python3 -m pip install --user datasette' >&2
  exit 1
fi
# Read-only, on this machine alone. Version 1 reads queries from datasette.yaml, 0.65 from metadata.yaml.
set -- "$database" --host 127.0.0.1
case $($open --version) in
  *' 0.'*) [ ! -f "$root/ops/datasette/metadata.yaml" ] || set -- "$@" --metadata "$root/ops/datasette/metadata.yaml" ;;
  *) [ ! -f "$root/ops/datasette/datasette.yaml" ] || set -- "$@" --config "$root/ops/datasette/datasette.yaml" ;;
esac
echo "datasette  $open on $database"
exec $open "$@"
