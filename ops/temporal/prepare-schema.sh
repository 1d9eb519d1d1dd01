#!/bin/sh
# Makes both databases and brings their schemas to this server's version; repeatable, so a restart or an upgrade runs it again.
# Needs temporal-sql-tool and: POSTGRES_SEEDS (host), DB_PORT, POSTGRES_USER (with LOGIN and CREATEDB), SQL_PASSWORD.
set -eu
: "${POSTGRES_SEEDS:?}" "${DB_PORT:?}" "${POSTGRES_USER:?}" "${SQL_PASSWORD:?}"
export SQL_PASSWORD

tool() {
  database=$1
  shift
  temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_SEEDS" --port "$DB_PORT" --user "$POSTGRES_USER" --db "$database" "$@"
}

# The schema files of this version are inside the tool.
for pair in "${DBNAME:-temporal}:temporal" "${VISIBILITY_DBNAME:-temporal_visibility}:visibility"; do
  database=${pair%%:*}
  tool "$database" create
  tool "$database" setup-schema -v 0.0
  tool "$database" update-schema --schema-name "postgresql/v12/${pair#*:}"
done
echo 'schema ready'
