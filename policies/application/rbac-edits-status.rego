# METADATA
# title: role edits the status of core objects
# description: |-
#   Flags roles that may write the status of Services, Pods or Nodes.
#
#   ## Why it matters
#   Traffic follows the status: the address of a load balancer in it is routed by every node, a pod's
#   address makes it an endpoint, and the scheduler trusts what a node says of itself.
#
#   ## Fix
#   Leave status to the controllers that own it.
#
#   ## Known gaps
#   Parts of the system need the right and a waiver. A resource `*` is reported by `rbac-wildcard`. Does not
#   apply to ClusterRoles that collect the rules of others.
# related_resources:
#   - https://github.com/kubernetes/kubernetes/issues/97076
# custom:
#   severity: medium
#   persona: regular
#   reads: [Role, ClusterRole]
#   fix: leave status to the controllers that own it
#   aliases:
#     checkov: [CKV2_K8S_4]
#   parameters: {}
#   instead_of: []
package palisade.application.rbac_edits_status

import rego.v1

import data.palisade.lib.rbac

not_applicable if rbac.aggregated(input)

# Nodes exist once for the cluster; a Role grants nothing on them.
kinds := {"": {"services/status", "pods/status", "*/status"}} if input.palisade.kind == "Role"

kinds := {"": {"services/status", "pods/status", "nodes/status", "*/status"}} if {
	input.palisade.kind == "ClusterRole"
}

verbs := {"*", "update", "patch"}

violation contains {"msg": msg, "path": grant.path} if {
	not rbac.aggregated(input)
	some grant in rbac.unlimited(input, kinds, verbs)
	msg := rbac.says(input.palisade.title, grant)
}
