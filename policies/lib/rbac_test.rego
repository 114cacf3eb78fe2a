package palisade.lib.rbac_test

import rego.v1

import data.palisade.lib.rbac

kinds := {"": {"pods", "pods/status", "*/status"}, "apps": {"deployments"}}

verbs := {"*", "update", "patch"}

role(groups, resources, verbs) := {"rules": [{"apiGroups": groups, "resources": resources, "verbs": verbs}]}

test_a_grant_names_its_entry if {
	found := rbac.grants(role(["", "apps"], ["configmaps", "pods"], ["get", "patch"]), kinds, verbs)
	found == [{"path": ["rules", 0, "resources", 1], "resource": "pods", "verb": "patch", "names": []}]
	rbac.says("Role `a`", found[0]) == "Role `a` has the verb `patch` on `pods`"
}

test_wildcards_of_groups_and_verbs_count if {
	found := rbac.grants(role(["*"], ["pods", "deployments"], ["*"]), kinds, verbs)
	{grant.resource | some grant in found} == {"pods", "deployments"}
	found[0].verb == "*"
}

test_what_is_no_grant if {
	rbac.grants(role(["apps"], ["pods"], ["update"]), kinds, verbs) == []
	rbac.grants(role([""], ["pods"], ["get"]), kinds, verbs) == []
	rbac.grants(role([""], ["*"], ["update"]), kinds, verbs) == []
	rbac.grants({"rules": [{"nonResourceURLs": ["/metrics"], "verbs": ["update"]}]}, kinds, verbs) == []
	rbac.grants({"rules": null}, kinds, verbs) == []
	rbac.grants({"rules": [null, "x"]}, kinds, verbs) == []
}

test_names_limit if {
	rule := {"apiGroups": [""], "resources": ["pods"], "verbs": ["update"], "resourceNames": ["one"]}
	count(rbac.grants({"rules": [rule]}, kinds, verbs)) == 1
	rbac.unlimited({"rules": [rule]}, kinds, verbs) == []
	open := object.union(rule, {"resourceNames": []})
	count(rbac.unlimited({"rules": [open]}, kinds, verbs)) == 1
}

test_aggregated_roles if {
	rbac.aggregated({"aggregationRule": {}})
	not rbac.aggregated({"aggregationRule": null})
	not rbac.aggregated({})
}
