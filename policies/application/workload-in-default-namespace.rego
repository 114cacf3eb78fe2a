# METADATA
# title: workload runs in the namespace default
# description: |-
#   Flags workloads in the namespace `default`.
#
#   ## Why it matters
#   Quotas, network policies and rights are given per namespace. In `default` lies what nobody sorted, and
#   a command without `-n` hits it.
#
#   ## Fix
#   Give the workload a namespace of its own.
#
#   ## Known gaps
#   An object that names no namespace is read as one of `default`; a command line may put it elsewhere.
# related_resources:
#   - https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
# custom:
#   severity: low
#   persona: regular
#   reads: [Pod]
#   fix: give the workload a namespace of its own
#   aliases:
#     kube-linter: [use-namespace]
#     kubescape: [C-0061, C-0212]
#     trivy: [KSV-0110]
#     checkov: [CKV_K8S_21]
#     kyverno: [disallow-default-namespace]
#   parameters: {}
#   instead_of: []
package palisade.application.workload_in_default_namespace

import rego.v1

violation contains {"msg": msg, "path": ["metadata", "namespace"]} if {
	input.palisade.namespace == "default"
	msg := sprintf("%s runs in the namespace `default`", [input.palisade.title])
}
