# METADATA
# title: toleration matches every taint
# description: |-
#   Flags pods with a toleration of every taint.
#
#   ## Why it matters
#   Taints keep pods off the control plane, off the nodes of other tenants and off nodes that are broken.
#   Such a pod may land on all of them.
#
#   ## Fix
#   Name the keys of the taints that are meant.
#
#   ## Known gaps
#   A toleration that names an effect but no key is not reported. An agent that has to run on every node
#   needs the toleration and a waiver.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: name the keys of the taints that are meant
#   aliases:
#     kube-linter: [no-node-affinity]
#   parameters: {}
#   instead_of: []
package palisade.application.tolerates_every_taint

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

violation contains {"msg": msg, "path": path} if {
	some pod in input.palisade.pods
	some index, toleration in values.list(pod.spec, ["tolerations"])
	values.text(toleration, ["operator"]) == "Exists"
	values.field(toleration, ["key"], "") == ""
	values.field(toleration, ["effect"], "") == ""
	path := pods.at(pod, ["tolerations", index])
	msg := sprintf("%s tolerates every taint", [input.palisade.title])
}
