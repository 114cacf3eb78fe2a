# METADATA
# title: rules of roles
package palisade.lib.rbac

import rego.v1

import data.palisade.lib.values

# Verbs that change an object.
writes := {"*", "create", "update", "patch", "delete", "deletecollection"}

# Whether the control plane fills in the rules from other roles.
aggregated(role) if values.field(role, ["aggregationRule"], null) != null

# The entries under `resources` through which a role grants one of the verbs on one of the kinds,
# whatever object is named. Kinds are sets of resources by group; verbs are a set. A rule for the
# resource `*` is another matter: `rbac-wildcard`.
grants(role, kinds, verbs) := [grant |
	some index, rule in values.list(role, ["rules"])
	granted := [verb | some verb in values.list(rule, ["verbs"]); verb in verbs]
	count(granted) > 0
	groups := values.list(rule, ["apiGroups"])
	resources := union({covered | some group in groups; covered := of_group(kinds, group)})
	some entry, resource in values.list(rule, ["resources"])
	resource in resources
	grant := {
		"path": ["rules", index, "resources", entry],
		"resource": resource,
		"verb": granted[0],
		"names": values.texts(rule, ["resourceNames"]),
	}
]

of_group(kinds, group) := kinds[group] if group != "*"

of_group(kinds, group) := union({resources | some resources in kinds}) if group == "*"

# The same, without what is limited to named objects.
unlimited(role, kinds, verbs) := [grant |
	some grant in grants(role, kinds, verbs)
	count(grant.names) == 0
]

# What a headline says of a grant.
says(title, grant) := sprintf("%s has the verb `%s` on `%s`", [title, grant.verb, grant.resource])
