package palisade.lib.claims_test

import rego.v1

import data.palisade.lib.claims

test_a_claim if {
	claims.of({"kind": "PersistentVolumeClaim", "spec": {"a": 1}}) == [{"path": ["spec"], "spec": {"a": 1}}]
}

test_templates_of_claims if {
	found := claims.of({"kind": "StatefulSet", "spec": {"volumeClaimTemplates": [{"spec": {"a": 1}}, null]}})
	found[0] == {"path": ["spec", "volumeClaimTemplates", 0, "spec"], "spec": {"a": 1}}
	found[1].spec == {}
}

test_no_claim if claims.of({"kind": "Pod", "spec": null}) == []
