# METADATA
# title: Ingress carries a piece of the controller's configuration
# description: |-
#   Flags annotations with which an Ingress writes into the configuration of NGINX.
#
#   ## Why it matters
#   The piece runs with the rights of the controller, which reads the Secrets of all namespaces and serves
#   the hosts of all tenants. Who may write an Ingress gets both (CVE-2021-25742).
#
#   ## Fix
#   Remove the annotation, and switch `allow-snippet-annotations` off in the controller.
#
#   ## Known gaps
#   A controller with an annotation prefix of its own is not recognised.
# related_resources:
#   - https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
# custom:
#   severity: high
#   persona: regular
#   reads: [Ingress]
#   fix: remove the annotation, and switch `allow-snippet-annotations` off in the controller
#   aliases:
#     kubescape: [C-0059]
#     trivy: [KCV-0093]
#     checkov: [CKV_K8S_152, CKV_K8S_153, CKV_K8S_154]
#   parameters: {}
#   instead_of: []
package palisade.gateway.ingress_snippet

import rego.v1

import data.palisade.lib.values

snippet(key) if {
	startswith(key, "nginx.ingress.kubernetes.io/")
	endswith(key, "-snippet")
}

snippet(key) if {
	startswith(key, "nginx.org/")
	endswith(key, "-snippets")
}

violation contains {"msg": msg, "path": ["metadata", "annotations", key]} if {
	some key, value in values.map(input, ["metadata", "annotations"])
	snippet(key)
	not value in {"", null}
	msg := sprintf("%s writes into the configuration of NGINX", [input.palisade.title])
}
