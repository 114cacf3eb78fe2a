# METADATA
# title: workload has too few replicas
# description: |-
#   Flags workloads with fewer replicas than wanted.
#
#   ## Why it matters
#   With one replica every drained node and every crash is an outage, so nodes stay unpatched for fear
#   of it.
#
#   ## Fix
#   Raise `spec.replicas`, or let an autoscaler do it.
#
#   ## Known gaps
#   An autoscaler that sets the number is not looked at. Zero replicas are taken for switched off.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#replicas
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: raise `spec.replicas`
#   aliases:
#     kube-linter: [minimum-three-replicas]
#     kube-score: [deployment-replicas]
#     polaris: [deploymentMissingReplicas]
#     gatekeeper: [replicalimits]
#     kyverno: [deployment-has-multiple-replicas]
#   parameters:
#     min: {type: number, doc: "fewest replicas of a workload; 2 unless set"}
#   instead_of: []
package palisade.application.too_few_replicas

import rego.v1

import data.palisade.lib.values

default least := 2

least := data.palisade.params["too-few-replicas"].min

counted := {["apps", "Deployment"], ["apps", "StatefulSet"], ["argoproj.io", "Rollout"]}

not_applicable if not [input.palisade.group, input.palisade.kind] in counted

violation contains {"msg": msg, "path": ["spec", "replicas"]} if {
	[input.palisade.group, input.palisade.kind] in counted
	replicas := values.number(input, ["spec", "replicas"], 1)
	replicas > 0
	replicas < least
	msg := sprintf("%s has fewer than %v replicas", [input.palisade.title, least])
}
