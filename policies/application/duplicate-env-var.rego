# METADATA
# title: environment variable is set twice
# description: |-
#   Flags containers that set one environment variable twice.
#
#   ## Why it matters
#   The last one wins, and tools that merge manifests by name keep one of them, not always the same.
#   What a reviewer reads first is not what the program gets.
#
#   ## Fix
#   Remove all but one of the entries.
#
#   ## Known gaps
#   Variables that come in by `envFrom` are not compared.
# related_resources:
#   - https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/
# custom:
#   severity: low
#   persona: regular
#   reads: [Pod]
#   fix: remove all but one of the entries
#   aliases:
#     kube-linter: [duplicate-env-var]
#     kube-score: [environment-variable-key-duplication]
#     kubescape: [C-0295]
#   parameters: {}
#   instead_of: []
package palisade.application.duplicate_env_var

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.values

# Places of a name, in the order of the list.
indices(container, name) := [index |
	some index, entry in values.list(container.spec, ["env"])
	values.text(entry, ["name"]) == name
]

# Most containers have no duplicate, and need not be looked at name by name.
has_duplicates(container) if {
	env := values.list(container.spec, ["env"])
	names := {entry.name | some entry in env}
	count(names) < count(env)
}

violation contains {"msg": msg, "path": path, "related": related} if {
	some container in input.palisade.containers
	has_duplicates(container)
	some index, entry in values.list(container.spec, ["env"])
	name := values.text(entry, ["name"])
	name != ""
	first := indices(container, name)[0]
	first < index
	path := containers.at(container, ["env", index, "name"])
	related := [{"path": containers.at(container, ["env", first, "name"]), "msg": "and here for the first time"}]
	msg := sprintf("%s of %s sets `%s` again", [containers.title(container), input.palisade.title, name])
}
