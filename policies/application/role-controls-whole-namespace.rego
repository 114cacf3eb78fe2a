# METADATA
# title: Role controls its whole namespace
# description: |-
#   Flags Roles that grant every verb on every resource of every group.
#
#   ## Why it matters
#   The holder reads all Secrets of the namespace, starts pods under any of its accounts and gives the
#   same rights to others. Every workload of the namespace is his.
#
#   ## Fix
#   Bind the ClusterRole `admin` or `edit`, or name what is needed.
#
#   ## Known gaps
#   A ClusterRole of this kind is reported by `rbac-wildcard`.
# related_resources:
#   - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles
# custom:
#   severity: medium
#   persona: regular
#   reads: [Role]
#   fix: bind the ClusterRole `admin` or `edit`, or name what is needed
#   aliases:
#     trivy: [KSV-0112]
#   parameters: {}
#   instead_of: [rbac-wildcard]
package palisade.application.role_controls_whole_namespace

import rego.v1

import data.palisade.lib.values

violation contains {"msg": msg, "path": ["rules", index, "resources", entry]} if {
	some index, rule in values.list(input, ["rules"])
	"*" in values.list(rule, ["apiGroups"])
	"*" in values.list(rule, ["verbs"])
	found := [place | some place, resource in values.list(rule, ["resources"]); resource == "*"]
	entry := found[0]
	msg := sprintf("%s controls all of the namespace `%s`", [input.palisade.title, input.palisade.namespace])
}
