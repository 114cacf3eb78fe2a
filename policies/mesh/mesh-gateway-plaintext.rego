# METADATA
# title: gateway of the mesh serves plaintext
# description: |-
#   Flags servers of Istio Gateways that speak HTTP without a redirect to HTTPS.
#
#   ## Why it matters
#   Passwords and cookies cross networks that others can listen to, and who sits on the way can change what
#   is delivered.
#
#   ## Fix
#   Serve HTTPS, and set `tls.httpsRedirect: true` on the HTTP server.
#
#   ## Known gaps
#   Servers of protocol TCP are not reported. A gateway that only callers of the mesh reach is reported as
#   well.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/networking/gateway/#ServerTLSSettings
# custom:
#   severity: high
#   persona: regular
#   reads: [networking.istio.io/Gateway]
#   fix: serve HTTPS, and set `httpsRedirect` on the HTTP server
#   aliases: {}
#   parameters: {}
#   instead_of: []
package palisade.mesh.mesh_gateway_plaintext

import rego.v1

import data.palisade.lib.values

plain := {"HTTP", "HTTP2", "GRPC", "GRPC-WEB"}

violation contains {"msg": msg, "path": ["spec", "servers", index, "port", "protocol"]} if {
	some index, server in values.list(input, ["spec", "servers"])
	protocol := upper(values.text(server, ["port", "protocol"]))
	protocol in plain
	values.field(server, ["tls", "httpsRedirect"], false) != true
	port := values.number(server, ["port", "number"], 0)
	msg := sprintf("%s serves %s in plaintext on port %v", [input.palisade.title, protocol, port])
}
