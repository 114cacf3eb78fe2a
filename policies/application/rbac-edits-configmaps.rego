# METADATA
# title: role edits ConfigMaps of every namespace
# description: |-
#   Flags ClusterRoles that may write every ConfigMap.
#
#   ## Why it matters
#   ConfigMaps steer programs with more rights: the cluster's DNS, the mapping of cloud users to groups,
#   scripts of operators. Bound for the whole cluster the role takes them over.
#
#   ## Fix
#   Use a Role in the namespace that is meant, or name the ConfigMaps under `resourceNames`.
#
#   ## Known gaps
#   A RoleBinding limits such a role to one namespace; bindings are not looked at. A rule with
#   `resourceNames` is left out, and a resource `*` is reported by `rbac-wildcard`. Does not apply to
#   ClusterRoles that collect the rules of others.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege
# custom:
#   severity: medium
#   persona: regular
#   reads: [ClusterRole]
#   fix: use a Role in the namespace that is meant, or name the ConfigMaps under `resourceNames`
#   aliases:
#     kubescape: [C-0037]
#     trivy: [KSV-0049]
#   parameters: {}
#   instead_of: []
package palisade.application.rbac_edits_configmaps

import rego.v1

import data.palisade.lib.rbac

not_applicable if rbac.aggregated(input)

# Creating and deleting do not change what another program reads.
kinds := {"": {"configmaps"}}

verbs := {"*", "update", "patch"}

violation contains {"msg": msg, "path": grant.path} if {
	not rbac.aggregated(input)
	some grant in rbac.unlimited(input, kinds, verbs)
	msg := rbac.says(input.palisade.title, grant)
}
