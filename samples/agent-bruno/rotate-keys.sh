#!/bin/sh
# Installs the monthly rotation of the API keys.
set -eu

kubectl apply -f - <<EOF
apiVersion: batch/v1
kind: CronJob
metadata:
  name: rotate-reader-keys
  namespace: reader
spec:
  schedule: "15 3 1 * *"
  jobTemplate:
    spec:
      template:
        spec:
          serviceAccountName: key-rotator
          restartPolicy: OnFailure
          containers:
            - name: rotate
              image: registry.example.net/mirror/kubectl:latest
              command:
                - /bin/sh
                - -c
                - |
                  FIRST=$(uuidgen)
                  SECOND=$(uuidgen)
                  kubectl create secret generic reader-keys-next \
                    --from-literal=first="$FIRST" \
                    --from-literal=second="$SECOND" \
                    --dry-run=client -o yaml | kubectl apply -f -
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: key-rotator
  namespace: reader
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: key-rotator
  namespace: reader
rules:
  - apiGroups: [""]
    resources: [secrets]
    verbs: [get, list, create, update, patch, delete]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: key-rotator
  namespace: reader
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: key-rotator}
subjects:
  - {kind: ServiceAccount, name: key-rotator, namespace: reader}
EOF
