# METADATA
# title: DestinationRule turns TLS off
# description: |-
#   Flags DestinationRules with the TLS mode DISABLE.
#
#   ## Why it matters
#   The proxies of the callers send plaintext to the host, although both sides may have certificates. Who
#   listens on the network reads it, and the server cannot tell who calls.
#
#   ## Fix
#   Set the mode to `ISTIO_MUTUAL`, or remove `tls`.
#
#   ## Known gaps
#   A host outside of the mesh may speak TLS of its own; it is reported as well.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings
# custom:
#   severity: high
#   persona: regular
#   reads: [networking.istio.io/DestinationRule]
#   fix: set the mode to `ISTIO_MUTUAL`, or remove `tls`
#   aliases:
#     istioctl: [IST0128, IST0129]
#     kyverno: [enforce-tls-hosts-host-subnets]
#   parameters: {}
#   instead_of: []
package palisade.mesh.destination_rule_disables_tls

import rego.v1

import data.palisade.lib.istio
import data.palisade.lib.values

violation contains {"msg": msg, "path": path} if {
	some tls in istio.client_tls(input)
	values.text(tls.spec, ["mode"]) == "DISABLE"
	path := array.concat(tls.path, ["mode"])
	host := values.text(input, ["spec", "host"])
	msg := sprintf("%s turns TLS off for `%s`", [input.palisade.title, host])
}
