# METADATA
# title: Ingress has a default backend
# description: |-
#   Flags Ingresses with a default backend.
#
#   ## Why it matters
#   Every request that no rule matches ends there, with whatever path and host. A rule that is misspelt is
#   not noticed, because somebody answers.
#
#   ## Fix
#   Remove `defaultBackend`, and write rules with hosts and paths.
#
#   ## Known gaps
#   None known.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/ingress/#default-backend
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Ingress]
#   fix: remove `defaultBackend`, and write rules with hosts and paths
#   aliases:
#     kyverno: [restrict-ingress-defaultbackend]
#   parameters: {}
#   instead_of: []
package palisade.gateway.ingress_default_backend

import rego.v1

import data.palisade.lib.values

# The older versions of the API call it `backend`.
violation contains {"msg": msg, "path": ["spec", field]} if {
	some field in ["defaultBackend", "backend"]
	count(values.map(input, ["spec", field])) > 0
	msg := sprintf("%s answers what no rule matches", [input.palisade.title])
}
