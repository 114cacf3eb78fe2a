# METADATA
# title: workload may run beside the control plane
# description: |-
#   Flags pods that tolerate the taint of control-plane nodes.
#
#   ## Why it matters
#   The nodes of the control plane hold the keys of the cluster and its database. A container that breaks
#   out there owns everything, not one node.
#
#   ## Fix
#   Remove the toleration.
#
#   ## Known gaps
#   Workloads of `kube-system` are left out. Node selectors and affinities that keep the pod away are not
#   looked at; a toleration of every taint is reported by `tolerates-every-taint`.
# related_resources:
#   - https://kubernetes.io/docs/reference/labels-annotations-taints/#node-role-kubernetes-io-control-plane-taint
# custom:
#   severity: medium
#   persona: regular
#   reads: [Pod]
#   fix: remove the toleration
#   aliases:
#     kyverno: [restrict-controlplane-scheduling]
#   parameters: {}
#   instead_of: []
package palisade.application.control_plane_scheduling

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

taints := {
	"node-role.kubernetes.io/control-plane",
	"node-role.kubernetes.io/controlplane",
	"node-role.kubernetes.io/etcd",
	"node-role.kubernetes.io/master",
}

not_applicable if input.palisade.namespace == "kube-system"

violation contains {"msg": msg, "path": path} if {
	input.palisade.namespace != "kube-system"
	some pod in input.palisade.pods
	some index, toleration in values.list(pod.spec, ["tolerations"])
	values.text(toleration, ["key"]) in taints
	values.text(toleration, ["effect"]) in {"", "NoSchedule"}
	path := pods.at(pod, ["tolerations", index])
	msg := sprintf("%s may run beside the control plane", [input.palisade.title])
}
