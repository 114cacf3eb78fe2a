# METADATA
# title: role edits the rules of the network
# description: |-
#   Flags roles that may write network policies, routes or policies of the mesh.
#
#   ## Why it matters
#   Who may change these rules opens a way to a pod that was closed, or publishes it to the internet. The
#   isolation of the namespace is then as good as the holder of the role.
#
#   ## Fix
#   Leave these kinds to the team of the platform.
#
#   ## Known gaps
#   A rule with `resourceNames` is left out. A resource `*` is reported by `rbac-wildcard`. Does not apply
#   to ClusterRoles that collect the rules of others.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: medium
#   persona: regular
#   reads: [Role, ClusterRole]
#   fix: leave network policies, routes and mesh policies to the team of the platform
#   aliases:
#     trivy: [KSV-0056]
#   parameters: {}
#   instead_of: []
package palisade.application.rbac_edits_network_policy

import rego.v1

import data.palisade.lib.rbac

not_applicable if rbac.aggregated(input)

kinds := {
	"networking.k8s.io": {"ingresses", "networkpolicies"},
	"policy.networking.k8s.io": {
		"adminnetworkpolicies", "baselineadminnetworkpolicies", "clusternetworkpolicies",
	},
	"cilium.io": {"ciliumclusterwidenetworkpolicies", "ciliumnetworkpolicies"},
	"crd.projectcalico.org": {"globalnetworkpolicies", "networkpolicies"},
	"projectcalico.org": {"globalnetworkpolicies", "networkpolicies"},
	"gateway.networking.k8s.io": {"gateways", "grpcroutes", "httproutes", "referencegrants", "tlsroutes"},
	"networking.istio.io": {"destinationrules", "envoyfilters", "gateways", "virtualservices"},
	"security.istio.io": {"authorizationpolicies", "peerauthentications", "requestauthentications"},
	"policy.linkerd.io": {
		"authorizationpolicies", "meshtlsauthentications", "serverauthorizations", "servers",
	},
}

violation contains {"msg": msg, "path": grant.path} if {
	not rbac.aggregated(input)
	some grant in rbac.unlimited(input, kinds, rbac.writes)
	msg := rbac.says(input.palisade.title, grant)
}
