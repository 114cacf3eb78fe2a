# METADATA
# title: replicas may share one node
# description: |-
#   Flags workloads of several replicas that nothing keeps apart.
#
#   ## Why it matters
#   The replicas are there so that the workload survives a node. On one node they all go down together.
#
#   ## Fix
#   Add `topologySpreadConstraints` over `kubernetes.io/hostname`, or a pod anti-affinity.
#
#   ## Known gaps
#   The scheduler spreads softly by default and may be configured to do more. Which labels a
#   constraint or an anti-affinity selects is not looked at.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: add `topologySpreadConstraints` over `kubernetes.io/hostname`
#   aliases:
#     kube-linter: [no-anti-affinity]
#     kube-score: [deployment-has-host-podantiaffinity, statefulset-has-host-podantiaffinity]
#     polaris: [topologySpreadConstraint]
#     kyverno: [spread-pods-across-topology]
#   parameters: {}
#   instead_of: []
package palisade.application.replicas_not_spread

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

not_applicable if values.number(input, ["spec", "replicas"], 1) < 2

spread(pod) if count(values.list(pod.spec, ["topologySpreadConstraints"])) > 0

spread(pod) if count(values.map(pod.spec, ["affinity", "podAntiAffinity"])) > 0

violation contains {"msg": msg, "path": path} if {
	values.number(input, ["spec", "replicas"], 1) > 1
	some pod in input.palisade.pods
	not spread(pod)
	path := pods.at(pod, ["topologySpreadConstraints"])
	msg := sprintf("nothing keeps the replicas of %s apart", [input.palisade.title])
}
