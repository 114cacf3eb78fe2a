# METADATA
# title: workload runs in a namespace of the system
# description: |-
#   Flags workloads in `kube-system`, `kube-public` and `kube-node-lease` that are not parts of the system.
#
#   ## Why it matters
#   Admission policies and Pod Security are as a rule switched off there, and its accounts have rights on
#   the whole cluster. A workload that does not belong there gets both.
#
#   ## Fix
#   Give the workload a namespace of its own.
#
#   ## Known gaps
#   What has the priority class `system-cluster-critical` or `system-node-critical` is taken for a part of
#   the system.
# related_resources:
#   - https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces
# custom:
#   severity: medium
#   persona: regular
#   reads: [Pod]
#   fix: give the workload a namespace of its own
#   aliases:
#     trivy: [KSV-0037]
#   parameters:
#     allow: {type: texts, doc: "names of workloads that may run there"}
#   instead_of: []
package palisade.application.workload_in_system_namespace

import rego.v1

import data.palisade.lib.values

namespaces := {"kube-node-lease", "kube-public", "kube-system"}

critical := {"system-cluster-critical", "system-node-critical"}

default allow := []

allow := data.palisade.params["workload-in-system-namespace"].allow

of_system if {
	some pod in input.palisade.pods
	values.text(pod.spec, ["priorityClassName"]) in critical
}

violation contains {"msg": msg, "path": ["metadata", "namespace"]} if {
	input.palisade.namespace in namespaces
	not of_system
	not values.text(input, ["metadata", "name"]) in allow
	msg := sprintf("%s runs in the namespace `%s`", [input.palisade.title, input.palisade.namespace])
}
