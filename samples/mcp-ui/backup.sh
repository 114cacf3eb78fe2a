#!/bin/sh
# Nightly copy of the database; runs where kubectl is set up.
set -eu

kubectl -n console apply -f - <<'YAML'
apiVersion: batch/v1
kind: CronJob
metadata: {name: backup}
spec:
  schedule: "10 1 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: dump
              image: registry.example.net/console/backup:1.0.0
              envFrom: [{secretRef: {name: console}}]
YAML
