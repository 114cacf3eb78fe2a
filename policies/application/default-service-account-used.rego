# METADATA
# title: workload runs as the default service account
# description: |-
#   Flags pods that run as the service account `default`.
#
#   ## Why it matters
#   All pods of a namespace without an account of their own share this one. A right that one of them is
#   given all of them have, and a mesh cannot tell them apart.
#
#   ## Fix
#   Create a ServiceAccount for the workload and name it in `serviceAccountName`.
#
#   ## Known gaps
#   Reported although the pod mounts no token: the identity in a mesh is the same.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
# custom:
#   severity: low
#   persona: regular
#   reads: [Pod]
#   fix: set `serviceAccountName` to an account of the workload's own
#   aliases:
#     kube-linter: [default-service-account]
#     kubescape: [C-0189]
#     checkov: [CKV_K8S_41]
#     kyverno: [restrict-service-account]
#   parameters: {}
#   instead_of: []
package palisade.application.default_service_account_used

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

# The new field wins over the old one.
account(pod) := name if {
	name := values.text(pod.spec, ["serviceAccountName"])
	name != ""
}

account(pod) := values.text(pod.spec, ["serviceAccount"]) if {
	values.text(pod.spec, ["serviceAccountName"]) == ""
}

violation contains {"msg": msg, "path": path} if {
	some pod in input.palisade.pods
	account(pod) in {"", "default"}
	path := pods.at(pod, ["serviceAccountName"])
	msg := sprintf("%s runs as the service account `default`", [input.palisade.title])
}
