# METADATA
# title: role has a wildcard
# description: |-
#   Flags rules of roles with `*` among verbs, resources or API groups.
#
#   ## Why it matters
#   A wildcard grants what nobody thought of: kinds that are installed later, and verbs such as
#   `escalate`, `bind` and `impersonate` with which the holder gives itself more.
#
#   ## Fix
#   Name the groups, resources and verbs that are needed.
#
#   ## Known gaps
#   One finding per rule: resources come before verbs, verbs before groups. A Role holds in one
#   namespace only and is reported as medium; so is a wildcard that is only one of groups. Rules for
#   URLs that are no resources are not looked at. Does not apply to ClusterRoles that collect the rules
#   of others.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege
# custom:
#   severity: high
#   persona: regular
#   reads: [Role, ClusterRole]
#   fix: name the groups, resources and verbs that are needed
#   aliases:
#     kube-linter: [wildcard-in-rules]
#     kubescape: [C-0187]
#     trivy: [KSV-0044, KSV-0045, KSV-0046]
#     checkov: [CKV_K8S_49]
#     kyverno: [restrict-wildcard-verbs, restrict-wildcard-resources]
#   parameters: {}
#   instead_of: []
package palisade.application.rbac_wildcard

import rego.v1

import data.palisade.lib.rbac
import data.palisade.lib.values

not_applicable if rbac.aggregated(input)

nouns := {"resources": "resource", "verbs": "verb", "apiGroups": "API group"}

# Places of wildcards in a rule, the one that weighs most first.
wildcards(rule) := [[field, index] |
	count(values.list(rule, ["resources"])) > 0
	some field in ["resources", "verbs", "apiGroups"]
	some index, entry in values.list(rule, [field])
	entry == "*"
]

severity(field) := "high" if {
	input.palisade.kind == "ClusterRole"
	field != "apiGroups"
} else := "medium"

violation contains {"msg": msg, "path": path, "severity": level} if {
	not rbac.aggregated(input)
	some index, rule in values.list(input, ["rules"])
	found := wildcards(rule)
	count(found) > 0
	field := found[0][0]
	path := array.concat(["rules", index], found[0])
	level := severity(field)
	msg := sprintf("%s has a rule for every %s", [input.palisade.title, nouns[field]])
}
