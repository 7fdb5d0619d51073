#!/bin/sh
# Keeps the feature job running: submits it, from its newest savepoint or checkpoint, whenever Flink has none.
# A JobManager that was started again has none, since without Flink's own high availability it forgets its jobs.
set -eu
rest=${FLINK_REST:-http://jobmanager:8081}
data=${FLINK_DATA:-/var/lib/flink}
look_s=${LOOK_S:-10}
trap 'exit 0' TERM INT

live_jobs() {
  python -c "
import json, urllib.request
jobs = json.load(urllib.request.urlopen('$rest/jobs', timeout=10))['jobs']
print(sum(job['status'] not in ('FINISHED', 'FAILED', 'CANCELED') for job in jobs))" 2> /dev/null
}

newest_snapshot() {
  ls -td "$data"/savepoints/*/_metadata "$data"/checkpoints/*/chk-*/_metadata 2> /dev/null | head -n 1
}

submit() {
  snapshot=$(newest_snapshot)
  echo "submitting the feature job${snapshot:+ from $snapshot}"
  flink run --detached --jobmanager "${rest#http://}" \
    ${snapshot:+--fromSavepoint "file://${snapshot%/_metadata}"} \
    --pyFiles /opt/gars.zip --pyModule gars.entrypoints.feature_job "$@" ${GARS_TRACES:+--traces "$GARS_TRACES"}
}

while :; do
  if running=$(live_jobs) && [ "$running" = 0 ]; then
    submit "$@" || echo "Flink did not take it; next try in $look_s s"
  fi
  sleep "$look_s" &
  wait $!
done
