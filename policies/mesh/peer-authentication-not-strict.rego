# METADATA
# title: PeerAuthentication admits plaintext
# description: |-
#   Flags PeerAuthentications with a mode other than STRICT.
#
#   ## Why it matters
#   A caller that comes without a certificate has no identity, and rules about identities pass it by. What
#   began as a step of a migration stays for years.
#
#   ## Fix
#   Set the mode to `STRICT`.
#
#   ## Known gaps
#   It is the object that is judged, not what holds for a workload in the end: that is `mtls-not-strict`. An
#   object without a mode inherits one and is not reported.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/peer_authentication/
# custom:
#   severity: medium
#   persona: pedantic
#   reads: [PeerAuthentication]
#   fix: set the mode to `STRICT`
#   aliases:
#     kyverno: [enforce-strict-mtls]
#   parameters: {}
#   instead_of: []
package palisade.mesh.peer_authentication_not_strict

import rego.v1

import data.palisade.lib.values

open_modes := {"PERMISSIVE", "DISABLE"}

violation contains {"msg": msg, "path": ["spec", "mtls", "mode"]} if {
	mode := values.text(input, ["spec", "mtls", "mode"])
	mode in open_modes
	msg := sprintf("%s has the mode %s", [input.palisade.title, mode])
}

violation contains {"msg": msg, "path": ["spec", "portLevelMtls", port, "mode"]} if {
	some port, setting in values.map(input, ["spec", "portLevelMtls"])
	mode := values.text(setting, ["mode"])
	mode in open_modes
	msg := sprintf("%s has the mode %s for port %v", [input.palisade.title, mode, port])
}
