# METADATA
# title: gateway of the mesh answers for every host
# description: |-
#   Flags servers of Istio Gateways whose host is `*`.
#
#   ## Why it matters
#   Any VirtualService of any namespace may then bind a host to the gateway. A tenant can take over the
#   name of another one.
#
#   ## Fix
#   Name the hosts, with the namespace that may bind them: `trade/shop.example`.
#
#   ## Known gaps
#   Who may write VirtualServices is not looked at.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/networking/gateway/#Server
# custom:
#   severity: medium
#   persona: regular
#   reads: [networking.istio.io/Gateway]
#   fix: name the hosts, with the namespace that may bind them
#   aliases:
#     kyverno: [restrict-virtual-service-wildcard]
#   parameters: {}
#   instead_of: []
package palisade.mesh.mesh_gateway_wildcard_host

import rego.v1

import data.palisade.lib.istio
import data.palisade.lib.values

violation contains {"msg": msg, "path": ["spec", "servers", index, "hosts", entry]} if {
	some index, server in values.list(input, ["spec", "servers"])
	some entry, host in values.list(server, ["hosts"])
	is_string(host)
	istio.every_host(host)
	msg := sprintf("%s answers for every host", [input.palisade.title])
}
