# METADATA
# title: role deletes events
# description: |-
#   Flags roles that may delete events.
#
#   ## Why it matters
#   Events tell what was started, killed and refused. Who deletes them hides his traces from whoever looks
#   only at the cluster.
#
#   ## Fix
#   Remove `delete` and `deletecollection` on events.
#
#   ## Known gaps
#   Logs that are kept elsewhere are not looked at. A resource `*` is reported by `rbac-wildcard`. Does not
#   apply to ClusterRoles that collect the rules of others.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: medium
#   persona: regular
#   reads: [Role, ClusterRole]
#   fix: remove `delete` and `deletecollection` on events
#   aliases:
#     kubescape: [C-0031]
#     trivy: [KSV-0042]
#   parameters: {}
#   instead_of: []
package palisade.application.rbac_deletes_evidence

import rego.v1

import data.palisade.lib.rbac

not_applicable if rbac.aggregated(input)

kinds := {"": {"events"}, "events.k8s.io": {"events"}}

verbs := {"*", "delete", "deletecollection"}

violation contains {"msg": msg, "path": grant.path} if {
	not rbac.aggregated(input)
	some grant in rbac.unlimited(input, kinds, verbs)
	msg := rbac.says(input.palisade.title, grant)
}
