# METADATA
# title: Service opens a port on every node
# description: |-
#   Flags Services of type NodePort.
#
#   ## Why it matters
#   The port is open on every address of every node, beside the gateway with its TLS, its
#   authentication and its limits. Who reaches a node reaches the pods.
#
#   ## Fix
#   Use type `ClusterIP` and publish the Service through a Gateway or an Ingress.
#
#   ## Known gaps
#   Node ports of Services of type LoadBalancer are not reported, nor whether a firewall closes the port.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport
# custom:
#   severity: medium
#   persona: regular
#   reads: [Service]
#   fix: use type `ClusterIP` and publish the Service through a Gateway or an Ingress
#   aliases:
#     kube-linter: [exposed-services]
#     kube-score: [service-type]
#     gatekeeper: [block-nodeport-services]
#     kyverno: [restrict-node-port]
#   parameters: {}
#   instead_of: []
package palisade.gateway.node_port_service

import rego.v1

import data.palisade.lib.values

# Ports that are chosen by hand; the others are chosen by the API server.
chosen := [sprintf("%v", [port]) |
	some entry in values.list(input, ["spec", "ports"])
	port := values.number(entry, ["nodePort"], 0)
	port > 0
]

ports := sprintf(" (%s)", [concat(", ", chosen)]) if count(chosen) > 0

ports := "" if count(chosen) == 0

violation contains {"msg": msg, "path": ["spec", "type"]} if {
	values.text(input, ["spec", "type"]) == "NodePort"
	msg := sprintf("%s opens a port on every node%s", [input.palisade.title, ports])
}
