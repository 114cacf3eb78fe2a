# METADATA
# title: DestinationRule does not verify the server
# description: |-
#   Flags DestinationRules that accept any certificate.
#
#   ## Why it matters
#   The connection is encrypted to whoever answers. Who can redirect it reads and changes everything, and
#   no side notices.
#
#   ## Fix
#   Remove `insecureSkipVerify`, and name the authority under `caCertificates`.
#
#   ## Known gaps
#   Without `caCertificates` newer versions of Istio use the authorities of the system, older ones none; it
#   is not reported.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings
# custom:
#   severity: medium
#   persona: regular
#   reads: [networking.istio.io/DestinationRule]
#   fix: remove `insecureSkipVerify`
#   aliases:
#     istioctl: [IST0128, IST0129]
#   parameters: {}
#   instead_of: []
package palisade.mesh.destination_rule_skips_verification

import rego.v1

import data.palisade.lib.istio
import data.palisade.lib.values

violation contains {"msg": msg, "path": path} if {
	some tls in istio.client_tls(input)
	values.field(tls.spec, ["insecureSkipVerify"], false) == true
	path := array.concat(tls.path, ["insecureSkipVerify"])
	host := values.text(input, ["spec", "host"])
	msg := sprintf("%s accepts any certificate from `%s`", [input.palisade.title, host])
}
