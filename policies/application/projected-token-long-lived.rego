# METADATA
# title: projected token lives too long
# description: |-
#   Flags projected service account tokens that live longer than wanted.
#
#   ## Why it matters
#   A token that was copied out of the pod is good until it expires, as long as the pod exists. The longer
#   it lives, the more it is worth.
#
#   ## Fix
#   Lower `expirationSeconds`; the kubelet renews the file in time.
#
#   ## Known gaps
#   The API server may shorten the life by its own configuration. The volume that it adds to each pod is
#   left out.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
# custom:
#   severity: low
#   persona: auditor
#   reads: [Pod]
#   fix: lower `expirationSeconds`
#   aliases: {}
#   parameters:
#     max: {type: number, doc: "longest life of a token in seconds; 3600, the default of the API, unless set"}
#   instead_of: []
package palisade.application.projected_token_long_lived

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

default most := 3600

most := data.palisade.params["projected-token-long-lived"].max

violation contains {"msg": msg, "path": path} if {
	some pod in input.palisade.pods
	some token in pods.tokens(pod)
	seconds := values.number(token.spec, ["expirationSeconds"], 3600)
	seconds > most
	path := array.concat(token.at, ["expirationSeconds"])
	msg := sprintf("a token of %s lives for %v seconds", [input.palisade.title, seconds])
}
