# METADATA
# title: pod names its node
# description: |-
#   Flags pods with a `nodeName`.
#
#   ## Why it matters
#   Such a pod passes by the scheduler: taints that keep others off the node do not hold it back, and when
#   the node is gone the pod waits for ever.
#
#   ## Fix
#   Select nodes by `nodeSelector` or node affinity.
#
#   ## Known gaps
#   A Pod that was read from a cluster has the node that the scheduler chose; it is left out.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: select nodes by `nodeSelector` or node affinity
#   aliases:
#     kyverno: [restrict-node-selection]
#   parameters: {}
#   instead_of: []
package palisade.application.node_pinned

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

# The API server has given it an identity.
scheduled if {
	input.palisade.kind == "Pod"
	values.text(input, ["metadata", "uid"]) != ""
}

not_applicable if scheduled

violation contains {"msg": msg, "path": path} if {
	not scheduled
	some pod in input.palisade.pods
	node := values.text(pod.spec, ["nodeName"])
	node != ""
	path := pods.at(pod, ["nodeName"])
	msg := sprintf("%s runs on node `%s` alone", [input.palisade.title, node])
}
