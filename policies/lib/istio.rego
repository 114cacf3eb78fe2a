# METADATA
# title: objects of Istio
package palisade.lib.istio

import rego.v1

import data.palisade.lib.values

# The TLS settings of a DestinationRule, with their places: of the whole host, of its ports, of subsets.
client_tls(rule) := array.concat(of_policies, of_ports) if {
	policies := traffic_policies(rule)
	of_policies := [{"path": array.concat(policy.path, ["tls"]), "spec": values.map(policy.spec, ["tls"])} |
		some policy in policies
	]
	of_ports := [{"path": array.concat(policy.path, ["portLevelSettings", index, "tls"]), "spec": spec} |
		some policy in policies
		some index, setting in values.list(policy.spec, ["portLevelSettings"])
		spec := values.map(setting, ["tls"])
	]
}

traffic_policies(rule) := array.concat([whole], subsets) if {
	whole := {"path": ["spec", "trafficPolicy"], "spec": values.map(rule, ["spec", "trafficPolicy"])}
	subsets := [{"path": ["spec", "subsets", index, "trafficPolicy"], "spec": spec} |
		some index, subset in values.list(rule, ["spec", "subsets"])
		spec := values.map(subset, ["trafficPolicy"])
	]
}

# Whether a host of Istio stands for every host; a namespace may stand before it.
every_host(host) if host == "*"

every_host(host) if endswith(host, "/*")
