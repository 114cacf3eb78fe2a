package palisade.lib.istio_test

import rego.v1

import data.palisade.lib.istio

test_tls_of_the_host_its_ports_and_subsets if {
	found := istio.client_tls({"spec": {
		"trafficPolicy": {"tls": {"mode": "A"}, "portLevelSettings": [{"tls": {"mode": "B"}}]},
		"subsets": [{"trafficPolicy": {"tls": {"mode": "C"}}}],
	}})
	{entry.spec.mode | some entry in found} == {"A", "B", "C"}
	["spec", "trafficPolicy", "portLevelSettings", 0, "tls"] in [entry.path | some entry in found]
	["spec", "subsets", 0, "trafficPolicy", "tls"] in [entry.path | some entry in found]
}

test_nothing_is_written if {
	istio.client_tls({"spec": null}) == [{"path": ["spec", "trafficPolicy", "tls"], "spec": {}}]
}

test_hosts if {
	istio.every_host("*")
	istio.every_host("trade/*")
	not istio.every_host("*.example")
	not istio.every_host("trade/*.example")
}
