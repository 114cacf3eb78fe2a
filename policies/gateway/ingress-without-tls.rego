# METADATA
# title: Ingress serves plain HTTP
# description: |-
#   Flags Ingresses without TLS, and those that serve plain HTTP beside it.
#
#   ## Why it matters
#   Passwords, cookies and tokens cross networks that others can listen to, and who sits on the way can
#   change what is delivered.
#
#   ## Fix
#   Name the hosts and a Secret with their certificate under `spec.tls`, and let the controller redirect
#   HTTP to HTTPS.
#
#   ## Known gaps
#   A controller may have a certificate of its own and add TLS to every Ingress; its configuration is not
#   read. Annotations that add TLS are known for AWS, Google Cloud and Traefik.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
# custom:
#   severity: medium
#   persona: regular
#   reads: [Ingress]
#   fix: name the hosts and their certificate under `spec.tls`, and redirect HTTP to HTTPS
#   aliases:
#     polaris: [tlsSettingsMissing]
#     kubescape: [C-0263]
#     gatekeeper: [httpsonly]
#     kyverno: [require-ingress-https]
#   parameters: {}
#   instead_of: []
package palisade.gateway.ingress_without_tls

import rego.v1

import data.palisade.lib.values

# Annotations with which a controller serves TLS although `spec.tls` is missing.
certificates := {
	"alb.ingress.kubernetes.io/certificate-arn",
	"ingress.gcp.kubernetes.io/pre-shared-cert",
	"networking.gke.io/managed-certificates",
	"traefik.ingress.kubernetes.io/router.tls",
}

# Annotations that switch off the redirect from HTTP to HTTPS.
redirects := {
	"ingress.kubernetes.io/ssl-redirect",
	"nginx.ingress.kubernetes.io/ssl-redirect",
}

annotation(name) := values.text(input, ["metadata", "annotations", name])

with_tls if count(values.list(input, ["spec", "tls"])) > 0

with_tls if {
	some name in certificates
	not annotation(name) in {"", "false"}
}

violation contains {"msg": msg, "path": ["spec", "tls"]} if {
	not with_tls
	msg := sprintf("%s serves plain HTTP", [input.palisade.title])
}

violation contains {"msg": msg, "path": ["metadata", "annotations", name]} if {
	with_tls
	some name in redirects
	annotation(name) == "false"
	msg := sprintf("%s serves plain HTTP beside HTTPS", [input.palisade.title])
}
