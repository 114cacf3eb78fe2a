# METADATA
# title: Ingress answers for any host
# description: |-
#   Flags Ingress rules whose host is missing or a wildcard.
#
#   ## Why it matters
#   The rule takes the requests for every name that no other Ingress claims, those of other tenants
#   included. A forged host header leads to the program behind it.
#
#   ## Fix
#   Name the hosts.
#
#   ## Known gaps
#   Whether another Ingress claims the name is not looked at.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/ingress/#hostname-wildcards
# custom:
#   severity: medium
#   persona: regular
#   reads: [Ingress]
#   fix: name the hosts
#   aliases:
#     gatekeeper: [block-wildcard-ingress]
#     kyverno: [restrict-ingress-wildcard]
#   parameters: {}
#   instead_of: []
package palisade.gateway.ingress_wildcard_host

import rego.v1

import data.palisade.lib.values

which(host) := "any host" if host == ""

which(host) := sprintf("every host of `%s`", [host]) if startswith(host, "*")

violation contains {"msg": msg, "path": ["spec", "rules", index, "host"]} if {
	some index, rule in values.list(input, ["spec", "rules"])
	host := values.field(rule, ["host"], "")
	is_string(host)
	hosts := which(host)
	msg := sprintf("%s answers for %s", [input.palisade.title, hosts])
}
