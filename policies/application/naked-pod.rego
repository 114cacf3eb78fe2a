# METADATA
# title: Pod has no controller
# description: |-
#   Flags Pods that no controller owns.
#
#   ## Why it matters
#   When its node goes away, or is drained for a patch, the Pod is gone and nobody starts another one.
#
#   ## Fix
#   Put the pod into a Deployment, a StatefulSet or a Job.
#
#   ## Known gaps
#   Mirror pods and hooks of Helm are left out. A manifest does not show that it lies in the directory of
#   static pods of a node.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/pods/#working-with-pods
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: put the pod into a Deployment, a StatefulSet or a Job
#   aliases:
#     kubescape: [C-0073]
#     kyverno: [prevent-bare-pods]
#   parameters: {}
#   instead_of: []
package palisade.application.naked_pod

import rego.v1

import data.palisade.lib.values

started_by_others := {"kubernetes.io/config.mirror", "kubernetes.io/config.source", "helm.sh/hook"}

is_pod if {
	input.palisade.group == ""
	input.palisade.kind == "Pod"
}

not_applicable if not is_pod

owned if count(values.list(input, ["metadata", "ownerReferences"])) > 0

owned if {
	some key in started_by_others
	values.text(input, ["metadata", "annotations", key]) != ""
}

violation contains {"msg": msg, "path": ["metadata", "name"]} if {
	is_pod
	not owned
	msg := sprintf("%s has no controller", [input.palisade.title])
}
