# METADATA
# title: restart policy does not fit a Job
# description: |-
#   Flags Jobs whose pods have no restart policy, or one that Jobs may not have.
#
#   ## Why it matters
#   The default of a pod is `Always`, and the API server refuses a Job with it. The migration or the
#   backup that the manifest describes never runs.
#
#   ## Fix
#   Set `restartPolicy` to `Never` or `OnFailure`.
#
#   ## Known gaps
#   None known.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-template
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: set `restartPolicy` to `Never` or `OnFailure`
#   aliases:
#     kube-score: [cronjob-restartpolicy]
#     kyverno: [restrict-jobs]
#   parameters: {}
#   instead_of: []
package palisade.application.job_restart_policy_wrong

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

not_applicable if input.palisade.group != "batch"

violation contains {"msg": msg, "path": path} if {
	input.palisade.group == "batch"
	some pod in input.palisade.pods
	policy := values.field(pod.spec, ["restartPolicy"], "Always")
	not policy in {"Never", "OnFailure"}
	path := pods.at(pod, ["restartPolicy"])
	msg := sprintf("the pods of %s have the restart policy `%v`", [input.palisade.title, policy])
}
