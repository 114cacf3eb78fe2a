# METADATA
# title: role reaches the kubelet
# description: |-
#   Flags ClusterRoles with rights on `nodes/proxy`.
#
#   ## Why it matters
#   The kubelet's API runs commands in every container of the node. Through `nodes/proxy` a caller reaches
#   it past admission control and past the audit log of `exec`; `get` is enough.
#
#   ## Fix
#   Grant `nodes/metrics`, `nodes/stats` or `nodes/log` instead.
#
#   ## Known gaps
#   A rule with `resourceNames` is left out. A resource `*` is reported by `rbac-wildcard`. Does not apply
#   to ClusterRoles that collect the rules of others.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#access-to-proxy-subresource-of-nodes
# custom:
#   severity: high
#   persona: regular
#   reads: [ClusterRole]
#   fix: grant `nodes/metrics`, `nodes/stats` or `nodes/log` instead
#   aliases:
#     kubescape: [C-0279]
#     trivy: [KSV-0047]
#     checkov: [CKV2_K8S_2]
#     kyverno: [restrict-clusterrole-nodesproxy]
#   parameters: {}
#   instead_of: []
package palisade.application.rbac_proxies_nodes

import rego.v1

import data.palisade.lib.rbac

not_applicable if rbac.aggregated(input)

kinds := {"": {"nodes/proxy", "*/proxy"}}

verbs := {"*", "get", "create", "update", "patch", "delete"}

violation contains {"msg": msg, "path": grant.path} if {
	not rbac.aggregated(input)
	some grant in rbac.unlimited(input, kinds, verbs)
	msg := rbac.says(input.palisade.title, grant)
}
