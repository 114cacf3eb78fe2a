# METADATA
# title: role of all users edits endpoints
# description: |-
#   Flags the roles that Kubernetes gives to users, `edit` and `admin`, where they may write endpoints.
#
#   ## Why it matters
#   Who writes the endpoints of a Service sends its traffic to any address: a load balancer that reaches
#   into other namespaces then does so for him. Kubernetes took the right out of new clusters for this
#   (CVE-2021-25740); upgraded ones keep it.
#
#   ## Fix
#   Remove `endpoints` and `endpointslices` from the rule.
#
#   ## Known gaps
#   Other roles are not looked at. A resource `*` is reported by `rbac-wildcard`.
# related_resources:
#   - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#write-access-for-endpoints
# custom:
#   severity: medium
#   persona: regular
#   reads: [ClusterRole]
#   fix: remove `endpoints` and `endpointslices` from the rule
#   aliases:
#     gatekeeper: [block-endpoint-edit-default-role]
#     kyverno: [restrict-edit-for-endpoints]
#   parameters: {}
#   instead_of: []
package palisade.application.rbac_edits_endpoints

import rego.v1

import data.palisade.lib.rbac
import data.palisade.lib.values

aggregates := {
	"rbac.authorization.k8s.io/aggregate-to-admin",
	"rbac.authorization.k8s.io/aggregate-to-edit",
}

of_all_users if values.text(input, ["metadata", "name"]) in {"admin", "edit", "system:aggregate-to-edit"}

of_all_users if {
	some label in aggregates
	values.field(input, ["metadata", "labels", label], "") == "true"
}

not_applicable if not of_all_users

kinds := {"": {"endpoints"}, "discovery.k8s.io": {"endpointslices"}}

violation contains {"msg": msg, "path": grant.path} if {
	of_all_users
	some grant in rbac.unlimited(input, kinds, rbac.writes)
	msg := rbac.says(input.palisade.title, grant)
}
