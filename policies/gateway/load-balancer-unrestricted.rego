# METADATA
# title: load balancer is open to every address
# description: |-
#   Flags Services of type LoadBalancer that admit every client.
#
#   ## Why it matters
#   The cloud gives the Service a public address, and whoever finds it reaches the pods: no gateway, no
#   TLS and no login stand before them.
#
#   ## Fix
#   List the clients under `loadBalancerSourceRanges`, or ask the cloud for an internal load balancer.
#
#   ## Known gaps
#   Annotations for internal load balancers are known as the large clouds spell them. A load balancer of
#   the own data centre may have no public address at all.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer
# custom:
#   severity: medium
#   persona: regular
#   reads: [Service]
#   fix: list the clients under `loadBalancerSourceRanges`, or ask for an internal load balancer
#   aliases:
#     kubescape: [C-0256]
#     gatekeeper: [block-loadbalancer-services]
#     kyverno: [restrict-loadbalancer]
#   parameters: {}
#   instead_of: []
package palisade.gateway.load_balancer_unrestricted

import rego.v1

import data.palisade.lib.values

everybody := {"0.0.0.0/0", "::/0"}

annotations := {lower(key): lower(value) |
	some key, value in values.map(input, ["metadata", "annotations"])
	is_string(value)
}

kept_inside if {
	some key, value in annotations
	regex.match(`load-?balancer`, key)
	contains(key, "internal")
	value in {"true", "0.0.0.0/0"}
}

kept_inside if {
	some key, value in annotations
	regex.match(`load-balancer-(type|scheme)$`, key)
	value == "internal"
}

kept_inside if {
	some key, value in annotations
	endswith(key, "address-type")
	value == "intranet"
}

kept_inside if {
	some key, value in annotations
	endswith(key, "provider-ip-type")
	value == "private"
}

# The annotation is older than the field.
ranged if count(split(annotations["service.beta.kubernetes.io/load-balancer-source-ranges"], ",")) > 0

ranged if count(values.list(input, ["spec", "loadBalancerSourceRanges"])) > 0

is_balancer if values.text(input, ["spec", "type"]) == "LoadBalancer"

violation contains {"msg": msg, "path": ["spec", "loadBalancerSourceRanges"]} if {
	is_balancer
	not kept_inside
	not ranged
	msg := sprintf("%s asks for a load balancer that admits every address", [input.palisade.title])
}

violation contains {"msg": msg, "path": ["spec", "loadBalancerSourceRanges", index]} if {
	is_balancer
	not kept_inside
	some index, range in values.list(input, ["spec", "loadBalancerSourceRanges"])
	range in everybody
	msg := sprintf("%s admits every address to its load balancer", [input.palisade.title])
}
