# METADATA
# title: annotation breaks out of its directive
# description: |-
#   Flags annotations of ingress-nginx whose value ends the directive it is written into.
#
#   ## Why it matters
#   Several of them are copied into the configuration of NGINX. A value with a semicolon, a brace or a line
#   break adds directives of its own, which run with the rights of the controller (CVE-2025-1097,
#   CVE-2025-1098, CVE-2025-24514).
#
#   ## Fix
#   Remove the annotation, and update the controller.
#
#   ## Known gaps
#   Annotations that hold URLs and names are looked at, those that may hold such characters are not.
# related_resources:
#   - https://kubernetes.io/blog/2025/03/24/ingress-nginx-cve-2025-1974/
# custom:
#   severity: medium
#   persona: regular
#   reads: [Ingress]
#   fix: remove the annotation, and update the controller
#   aliases: {}
#   parameters: {}
#   instead_of: []
package palisade.gateway.ingress_annotation_unsafe

import rego.v1

import data.palisade.lib.values

names := [
	"app-root", "auth-signin", "auth-tls-match-cn", "auth-url", "mirror-host", "mirror-target",
	"permanent-redirect", "rewrite-target", "temporal-redirect", "upstream-vhost",
]

violation contains {"msg": msg, "path": ["metadata", "annotations", key]} if {
	some name in names
	key := concat("/", ["nginx.ingress.kubernetes.io", name])
	value := values.text(input, ["metadata", "annotations", key])
	regex.match(`[\r\n;{}]`, value)
	msg := sprintf("`%s` of %s breaks out of its directive", [name, input.palisade.title])
}
