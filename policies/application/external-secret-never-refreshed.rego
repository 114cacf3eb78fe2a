# METADATA
# title: external secret is read only once
# description: |-
#   Flags ExternalSecrets that are not read again after the first time.
#
#   ## Why it matters
#   A password that was rotated or revoked in the store lives on in the cluster. Nobody notices until the
#   old one is refused.
#
#   ## Fix
#   Set `refreshInterval` to a time such as `1h`, and leave `refreshPolicy` at `Periodic`.
#
#   ## Known gaps
#   An interval that is missing is one hour; long ones are not reported.
# related_resources:
#   - https://external-secrets.io/latest/api/externalsecret/
# custom:
#   severity: low
#   persona: pedantic
#   reads: [external-secrets.io/ExternalSecret]
#   fix: set `refreshInterval` to a time such as `1h`
#   aliases: {}
#   parameters: {}
#   instead_of: []
package palisade.application.external_secret_never_refreshed

import rego.v1

import data.palisade.lib.values

violation contains {"msg": msg, "path": ["spec", "refreshInterval"]} if {
	interval := sprintf("%v", [values.field(input, ["spec", "refreshInterval"], "1h")])
	regex.match(`^(0+(h|m|s|ms)?)+$`, interval)
	values.field(input, ["spec", "refreshPolicy"], "Periodic") == "Periodic"
	msg := sprintf("%s is read only once", [input.palisade.title])
}

violation contains {"msg": msg, "path": ["spec", "refreshPolicy"]} if {
	values.text(input, ["spec", "refreshPolicy"]) == "CreatedOnce"
	msg := sprintf("%s is read only once", [input.palisade.title])
}
