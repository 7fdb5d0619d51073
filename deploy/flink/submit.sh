#!/bin/sh
# Submits the feature job once: with its newest savepoint or checkpoint, and not if it runs already.
set -eu
rest="http://${JOBMANAGER:-jobmanager}:8081"
running=$(python -c "
import json, urllib.request
jobs = json.load(urllib.request.urlopen('$rest/jobs', timeout=10))['jobs']
print(sum(job['status'] not in ('FINISHED', 'FAILED', 'CANCELED') for job in jobs))")
if [ "$running" != 0 ]; then
  echo "the feature job runs already"
  exit 0
fi
whole='/var/lib/flink/savepoints/*/_metadata /var/lib/flink/checkpoints/*/chk-*/_metadata'
snapshot=$(ls -td $whole 2> /dev/null | head -n 1 || true)
exec flink run --detached --jobmanager "${JOBMANAGER:-jobmanager}:8081" \
  ${snapshot:+--fromSavepoint "file://${snapshot%/_metadata}"} \
  --pyFiles /opt/gars.zip --pyModule gars.entrypoints.feature_job "$@"
