# METADATA
# title: role deletes namespaces
# description: |-
#   Flags roles that may delete namespaces.
#
#   ## Why it matters
#   One call removes everything in a namespace: workloads, Secrets, volumes. A program that was taken over,
#   or a mistake in it, ends whole products.
#
#   ## Fix
#   Remove `delete`, or name the namespaces under `resourceNames`.
#
#   ## Known gaps
#   A Role reaches its own namespace only and is reported as low. A rule with `resourceNames` is left out,
#   a resource `*` is reported by `rbac-wildcard`. Does not apply to ClusterRoles that collect the rules of
#   others.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege
# custom:
#   severity: medium
#   persona: regular
#   reads: [Role, ClusterRole]
#   fix: remove `delete`, or name the namespaces under `resourceNames`
#   aliases:
#     kubescape: [C-0007]
#     trivy: [KSV-0042]
#   parameters: {}
#   instead_of: []
package palisade.application.rbac_deletes_namespaces

import rego.v1

import data.palisade.lib.rbac

not_applicable if rbac.aggregated(input)

kinds := {"": {"namespaces"}}

verbs := {"*", "delete", "deletecollection"}

severity := "low" if input.palisade.kind == "Role"

severity := "medium" if input.palisade.kind == "ClusterRole"

violation contains {"msg": msg, "path": grant.path, "severity": severity} if {
	not rbac.aggregated(input)
	some grant in rbac.unlimited(input, kinds, verbs)
	msg := rbac.says(input.palisade.title, grant)
}
