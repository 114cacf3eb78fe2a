# METADATA
# title: role edits the cluster's DNS
# description: |-
#   Flags roles that may write the ConfigMap of CoreDNS.
#
#   ## Why it matters
#   Who writes it decides where names lead: traffic for a database or an identity provider goes to an
#   address of his own.
#
#   ## Fix
#   Remove the right, or name other ConfigMaps under `resourceNames`.
#
#   ## Known gaps
#   A ClusterRole without `resourceNames` is reported by `rbac-edits-configmaps`. The ConfigMap is known
#   under the names that Kubernetes distributions give it. Does not apply to ClusterRoles that collect the
#   rules of others.
# related_resources:
#   - https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/
# custom:
#   severity: high
#   persona: regular
#   reads: [Role, ClusterRole]
#   fix: remove the right, or name other ConfigMaps under `resourceNames`
#   aliases:
#     kubescape: [C-0037]
#   parameters: {}
#   instead_of: []
package palisade.application.rbac_edits_cluster_dns

import rego.v1

import data.palisade.lib.rbac

not_applicable if rbac.aggregated(input)

names := {"coredns", "coredns-custom", "kube-dns", "node-local-dns"}

kinds := {"": {"configmaps"}}

verbs := {"*", "update", "patch"}

of_dns(grant) if {
	some name in grant.names
	name in names
}

of_dns(grant) if {
	count(grant.names) == 0
	input.palisade.kind == "Role"
}

in_reach if input.palisade.kind == "ClusterRole"

in_reach if input.palisade.namespace == "kube-system"

violation contains {"msg": msg, "path": grant.path} if {
	not rbac.aggregated(input)
	in_reach
	some grant in rbac.grants(input, kinds, verbs)
	of_dns(grant)
	title := input.palisade.title
	msg := sprintf("%s has the verb `%s` on the ConfigMap of the cluster's DNS", [title, grant.verb])
}
