# METADATA
# title: rollout interrupts the workload, or never happens
# description: |-
#   Flags rollout strategies that take every replica down at once, or that wait for somebody to act.
#
#   ## Why it matters
#   A rollout that is an outage is put off, and with it the patch it carries. With `OnDelete` the old
#   program goes on running until somebody deletes its pods.
#
#   ## Fix
#   Use `RollingUpdate` with `maxUnavailable` below the number of replicas.
#
#   ## Known gaps
#   A Deployment of one replica may need `Recreate` for its volume; it is left out.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: use `RollingUpdate` with `maxUnavailable` below the number of replicas
#   aliases:
#     kube-linter: [no-rolling-update-strategy]
#     kube-score: [deployment-strategy]
#     kubescape: [C-0305]
#   parameters: {}
#   instead_of: []
package palisade.application.rollout_strategy_unsafe

import rego.v1

import data.palisade.lib.values

not_applicable if input.palisade.group != "apps"

violation contains {"msg": msg, "path": ["spec", "strategy", "type"]} if {
	input.palisade.kind == "Deployment"
	values.text(input, ["spec", "strategy", "type"]) == "Recreate"
	values.number(input, ["spec", "replicas"], 1) > 1
	msg := sprintf("a rollout of %s takes all replicas down first", [input.palisade.title])
}

violation contains {"msg": msg, "path": ["spec", field, "rollingUpdate", "maxUnavailable"]} if {
	input.palisade.group == "apps"
	some field in ["strategy", "updateStrategy"]
	values.field(input, ["spec", field, "rollingUpdate", "maxUnavailable"], "") == "100%"
	msg := sprintf("a rollout of %s may take all replicas down at once", [input.palisade.title])
}

violation contains {"msg": msg, "path": ["spec", "updateStrategy", "type"]} if {
	input.palisade.group == "apps"
	values.text(input, ["spec", "updateStrategy", "type"]) == "OnDelete"
	msg := sprintf("a change of %s reaches no pod until somebody deletes it", [input.palisade.title])
}
