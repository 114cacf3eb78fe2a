# METADATA
# title: project of Argo CD has no limits
# description: |-
#   Flags AppProjects that admit every repository, every destination or every kind of the cluster.
#
#   ## Why it matters
#   Argo CD deploys with rights on the whole cluster. What the project does not forbid, whoever may push to
#   one of its repositories can do: other namespaces, ClusterRoles, webhooks.
#
#   ## Fix
#   Name the repositories, the namespaces and the kinds that the team needs.
#
#   ## Known gaps
#   Wildcards that are part of a name are not reported. Destinations and kinds that are denied elsewhere in
#   the project are not subtracted.
# related_resources:
#   - https://argo-cd.readthedocs.io/en/stable/user-guide/projects/
# custom:
#   severity: high
#   persona: regular
#   reads: [argoproj.io/AppProject]
#   fix: name the repositories, the namespaces and the kinds that the team needs
#   aliases:
#     kyverno: [appproject-clusterresourceblacklist]
#   parameters: {}
#   instead_of: []
package palisade.application.gitops_project_wildcard

import rego.v1

import data.palisade.lib.values

violation contains {"msg": msg, "path": ["spec", "sourceRepos", index]} if {
	some index, repository in values.list(input, ["spec", "sourceRepos"])
	repository == "*"
	msg := sprintf("%s admits every repository", [input.palisade.title])
}

# The cluster is named by its address or by its name.
violation contains {"msg": msg, "path": ["spec", "destinations", index, "namespace"]} if {
	some index, destination in values.list(input, ["spec", "destinations"])
	values.text(destination, ["namespace"]) == "*"
	msg := sprintf("%s admits every namespace", [input.palisade.title])
}

violation contains {"msg": msg, "path": ["spec", "clusterResourceWhitelist", index, "kind"]} if {
	some index, resource in values.list(input, ["spec", "clusterResourceWhitelist"])
	values.text(resource, ["group"]) == "*"
	values.text(resource, ["kind"]) == "*"
	msg := sprintf("%s admits every kind of the cluster", [input.palisade.title])
}
