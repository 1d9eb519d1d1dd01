#!/bin/sh
# Opens Datasette on the traces, with what this machine has; otherwise says what to type.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
database=${TRACE_SQLITE_PATH:-logs/traces.db}
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
