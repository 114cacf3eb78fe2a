# METADATA
# title: role edits the users of an EKS cluster
# description: |-
#   Flags roles that may write the ConfigMap `aws-auth`.
#
#   ## Why it matters
#   The ConfigMap says which user of AWS is who in the cluster. Who writes it makes himself a member of
#   `system:masters`.
#
#   ## Fix
#   Remove the right, and use access entries of EKS.
#
#   ## Known gaps
#   Only rules that name the ConfigMap are reported: without a name it is not known that the cluster is one
#   of EKS. Does not apply to ClusterRoles that collect the rules of others.
# related_resources:
#   - https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html
# custom:
#   severity: critical
#   persona: regular
#   reads: [Role, ClusterRole]
#   fix: remove the right, and use access entries of EKS
#   aliases:
#     trivy: [KSV-0115]
#   parameters: {}
#   instead_of: []
package palisade.application.aws_auth_editable

import rego.v1

import data.palisade.lib.rbac

not_applicable if rbac.aggregated(input)

kinds := {"": {"configmaps"}}

verbs := {"*", "update", "patch"}

in_reach if input.palisade.kind == "ClusterRole"

in_reach if input.palisade.namespace == "kube-system"

violation contains {"msg": msg, "path": grant.path} if {
	not rbac.aggregated(input)
	in_reach
	some grant in rbac.grants(input, kinds, verbs)
	"aws-auth" in grant.names
	msg := sprintf("%s has the verb `%s` on the ConfigMap `aws-auth`", [input.palisade.title, grant.verb])
}
