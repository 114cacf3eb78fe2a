# METADATA
# title: Route serves plain HTTP
# description: |-
#   Flags Routes of OpenShift without TLS, and those that serve plain HTTP beside it.
#
#   ## Why it matters
#   Passwords and cookies cross networks that others can listen to, and who sits on the way can change what
#   is delivered.
#
#   ## Fix
#   Add `tls` with `termination: edge` or `reencrypt`, and redirect insecure requests.
#
#   ## Known gaps
#   None known.
# related_resources:
#   - https://docs.openshift.com/container-platform/4.17/networking/routes/secured-routes.html
# custom:
#   severity: medium
#   persona: regular
#   reads: [route.openshift.io/Route]
#   fix: add `tls`, and set `insecureEdgeTerminationPolicy` to `Redirect`
#   aliases: {}
#   parameters: {}
#   instead_of: []
package palisade.gateway.openshift_route_without_tls

import rego.v1

import data.palisade.lib.values

violation contains {"msg": msg, "path": ["spec", "tls"]} if {
	count(values.map(input, ["spec", "tls"])) == 0
	msg := sprintf("%s serves plain HTTP", [input.palisade.title])
}

violation contains {"msg": msg, "path": ["spec", "tls", "insecureEdgeTerminationPolicy"]} if {
	values.text(input, ["spec", "tls", "insecureEdgeTerminationPolicy"]) == "Allow"
	msg := sprintf("%s serves plain HTTP beside HTTPS", [input.palisade.title])
}
