# METADATA
# title: projected token has no audience
# description: |-
#   Flags projected service account tokens without an audience.
#
#   ## Why it matters
#   Without one the token is made for the API server. Whoever it is shown to, and that is what such a
#   volume is for, may use it there in the pod's name.
#
#   ## Fix
#   Set `audience` to the name of the service that the token is for.
#
#   ## Known gaps
#   The volume that the API server adds to each pod is left out. A pod that wants a token for the API server
#   needs none.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
# custom:
#   severity: low
#   persona: auditor
#   reads: [Pod]
#   fix: set `audience` to the name of the service that the token is for
#   aliases: {}
#   parameters: {}
#   instead_of: []
package palisade.application.projected_token_without_audience

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

violation contains {"msg": msg, "path": path} if {
	some pod in input.palisade.pods
	some token in pods.tokens(pod)
	values.text(token.spec, ["audience"]) == ""
	path := array.concat(token.at, ["audience"])
	msg := sprintf("a token of %s has no audience", [input.palisade.title])
}
