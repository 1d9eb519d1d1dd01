#!/bin/sh
# Makes the namespace with 30 days' retention and registers the search attributes; repeatable, on an old database too.
# Needs the temporal CLI and TEMPORAL_ADDRESS. TEMPORAL_NAMESPACE: default "default". TRIES: one a second, default 120.
set -eu
: "${TEMPORAL_ADDRESS:?}"
export TEMPORAL_ADDRESS TEMPORAL_NAMESPACE="${TEMPORAL_NAMESPACE:-default}"
retention=720h
# As SEARCH_ATTRIBUTES in contracts/names.ts.
attributes='TraceId:Keyword SessionId:Keyword Agent:Keyword Outcome:Keyword Utterance:Keyword CostUsd:Double'

# A server says SERVING before it is usable, and for a second after a namespace was made it says there is none: try again.
retry() {
  left=${TRIES:-120}
  until said=$("$@" 2>&1); do
    left=$((left - 1))
    if [ "$left" -le 0 ]; then
      echo "gave up: $*: $said" >&2
      exit 1
    fi
    sleep 1
  done
}

ensure_namespace() {
  if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"
  else
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"
  fi
}

type_of() {
  temporal operator search-attribute list | awk -v name="$1" '$1 == name { print $2 }'
}

ensure_attribute() {
  type=$(type_of "$1")
  # The server accepts another type for a known name and keeps the old one: only a look tells. Said below, not retried.
  if [ -n "$type" ]; then return 0; fi
  temporal operator search-attribute create --name "$1" --type "$2" && [ "$(type_of "$1")" = "$2" ]
}

retry temporal operator cluster health
retry ensure_namespace
for pair in $attributes; do
  name=${pair%%:*}
  retry ensure_attribute "$name" "${pair#*:}"
  if [ "$(type_of "$name")" != "${pair#*:}" ]; then
    echo "search attribute $name is $(type_of "$name") on this server, not ${pair#*:}: remove it there, or use another namespace" >&2
    exit 1
  fi
done
echo "namespace $TEMPORAL_NAMESPACE ready"
