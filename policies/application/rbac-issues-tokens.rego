# METADATA
# title: role issues tokens of any account
# description: |-
#   Flags roles that may create tokens of service accounts.
#
#   ## Why it matters
#   With a token of a stronger account the holder is that account. In the namespace of the system there is
#   nearly always one that may do everything.
#
#   ## Fix
#   Name the accounts under `resourceNames`.
#
#   ## Known gaps
#   A rule with `resourceNames` is left out. A resource `*` is reported by `rbac-wildcard`. Does not apply
#   to ClusterRoles that collect the rules of others.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#token-request
# custom:
#   severity: high
#   persona: regular
#   reads: [Role, ClusterRole]
#   fix: name the accounts under `resourceNames`
#   aliases:
#     kubescape: [C-0278, C-0282]
#   parameters: {}
#   instead_of: []
package palisade.application.rbac_issues_tokens

import rego.v1

import data.palisade.lib.rbac

not_applicable if rbac.aggregated(input)

kinds := {"": {"serviceaccounts/token", "*/token"}}

verbs := {"*", "create"}

violation contains {"msg": msg, "path": grant.path} if {
	not rbac.aggregated(input)
	some grant in rbac.unlimited(input, kinds, verbs)
	msg := rbac.says(input.palisade.title, grant)
}
