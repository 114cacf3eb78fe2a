# METADATA
# title: pod has no priority class
# description: |-
#   Flags pods without a `priorityClassName`.
#
#   ## Why it matters
#   When nodes run short the scheduler evicts pods of lower priority. Without a class the shop and the
#   report of last month have the same one.
#
#   ## Fix
#   Name a PriorityClass in `priorityClassName`.
#
#   ## Known gaps
#   A PriorityClass with `globalDefault: true` gives its priority to all of them; it is not looked at.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: name a PriorityClass in `priorityClassName`
#   aliases:
#     kube-linter: [priority-class-name]
#     polaris: [priorityClassNotSet]
#     kyverno: [require-pod-priorityclassname]
#   parameters: {}
#   instead_of: []
package palisade.application.priority_class_missing

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

violation contains {"msg": msg, "path": path} if {
	some pod in input.palisade.pods
	values.text(pod.spec, ["priorityClassName"]) == ""
	path := pods.at(pod, ["priorityClassName"])
	msg := sprintf("%s has no priority class", [input.palisade.title])
}
