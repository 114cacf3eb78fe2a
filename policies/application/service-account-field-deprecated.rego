# METADATA
# title: old name of the service account field is used
# description: |-
#   Flags pods that name their account by the old field `serviceAccount` alone.
#
#   ## Why it matters
#   Policies and tools look at `serviceAccountName`. A pod that uses the old name is one of the default
#   account to them, while the cluster gives it another.
#
#   ## Fix
#   Write `serviceAccountName`.
#
#   ## Known gaps
#   The API server fills in both names; a pod with both is not reported.
# related_resources:
#   - https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodSpec
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: write `serviceAccountName`
#   aliases:
#     kube-linter: [deprecated-service-account-field]
#     kubescape: [C-0294]
#   parameters: {}
#   instead_of: []
package palisade.application.service_account_field_deprecated

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

violation contains {"msg": msg, "path": path} if {
	some pod in input.palisade.pods
	account := values.text(pod.spec, ["serviceAccount"])
	account != ""
	values.text(pod.spec, ["serviceAccountName"]) == ""
	path := pods.at(pod, ["serviceAccount"])
	msg := sprintf("%s names its account `%s` by the old field", [input.palisade.title, account])
}
