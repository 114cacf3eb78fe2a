# METADATA
# title: VirtualService answers for every host
# description: |-
#   Flags VirtualServices whose host is `*`.
#
#   ## Why it matters
#   The routes take every request of the gateway that nobody else claims, those for hosts of other tenants
#   included.
#
#   ## Fix
#   Name the hosts.
#
#   ## Known gaps
#   The hosts of the gateway may limit it; they are not looked at.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/networking/virtual-service/
# custom:
#   severity: medium
#   persona: regular
#   reads: [VirtualService]
#   fix: name the hosts
#   aliases:
#     kyverno: [restrict-virtual-service-wildcard]
#   parameters: {}
#   instead_of: []
package palisade.mesh.virtual_service_wildcard_host

import rego.v1

import data.palisade.lib.values

violation contains {"msg": msg, "path": ["spec", "hosts", index]} if {
	some index, host in values.list(input, ["spec", "hosts"])
	host == "*"
	msg := sprintf("%s answers for every host", [input.palisade.title])
}
