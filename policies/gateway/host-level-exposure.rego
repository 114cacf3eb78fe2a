# METADATA
# title: Service claims addresses of its own choice
# description: |-
#   Flags Services with `externalIPs`.
#
#   ## Why it matters
#   Every node sends traffic for these addresses to the Service, whoever they belong to. Any tenant who may
#   write Services can take over the traffic of another one, or of the internet (CVE-2020-8554).
#
#   ## Fix
#   Remove `externalIPs`, and publish the Service through a Gateway or an Ingress.
#
#   ## Known gaps
#   An admission plugin may forbid the field; a manifest does not show it.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/#external-ips
# custom:
#   severity: high
#   persona: regular
#   reads: [Service]
#   fix: remove `externalIPs`, and publish the Service through a Gateway or an Ingress
#   aliases:
#     trivy: [KSV-0108]
#     gatekeeper: [externalip]
#     kyverno: [restrict-service-external-ips]
#   parameters: {}
#   instead_of: []
package palisade.gateway.host_level_exposure

import rego.v1

import data.palisade.lib.values

violation contains {"msg": msg, "path": ["spec", "externalIPs"]} if {
	addresses := values.texts(input, ["spec", "externalIPs"])
	count(addresses) > 0
	msg := sprintf("%s claims the address %s", [input.palisade.title, concat(", ", addresses)])
}
