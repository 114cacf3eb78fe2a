# METADATA
# title: role approves certificates
# description: |-
#   Flags ClusterRoles that may approve certificate signing requests.
#
#   ## Why it matters
#   A certificate that the cluster signs for clients is a login under any name that its holder wrote into
#   the request. It cannot be revoked.
#
#   ## Fix
#   Leave approval to the controllers of the control plane.
#
#   ## Known gaps
#   The verb `approve` on the signer is needed as well and may come from another role. A resource `*` is
#   reported by `rbac-wildcard`. Does not apply to ClusterRoles that collect the rules of others.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#csrs-and-certificate-issuing
# custom:
#   severity: high
#   persona: regular
#   reads: [ClusterRole]
#   fix: leave approval to the controllers of the control plane
#   aliases:
#     kubescape: [C-0280]
#     checkov: [CKV_K8S_156]
#     kyverno: [restrict-clusterrole-csr]
#   parameters: {}
#   instead_of: []
package palisade.application.rbac_approves_certificates

import rego.v1

import data.palisade.lib.rbac

not_applicable if rbac.aggregated(input)

kinds := {"certificates.k8s.io": {"certificatesigningrequests/approval", "*/approval"}}

verbs := {"*", "update", "patch"}

violation contains {"msg": msg, "path": grant.path} if {
	not rbac.aggregated(input)
	some grant in rbac.unlimited(input, kinds, verbs)
	msg := rbac.says(input.palisade.title, grant)
}
