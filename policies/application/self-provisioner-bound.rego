# METADATA
# title: every user may create projects
# description: |-
#   Flags bindings of OpenShift's role `self-provisioner` to all users.
#
#   ## Why it matters
#   Who creates a project is its administrator. Quotas, network policies and labels that somebody should
#   have set for a new team are missing.
#
#   ## Fix
#   Bind the role to the group that may create projects, and set
#   `rbac.authorization.kubernetes.io/autoupdate` to `"false"`.
#
#   ## Known gaps
#   OpenShift brings the binding along; it is found only where it is in the input.
# related_resources:
#   - https://docs.openshift.com/container-platform/4.17/applications/projects/configuring-project-creation.html
# custom:
#   severity: low
#   persona: auditor
#   reads: [ClusterRoleBinding]
#   fix: bind the role to the group that may create projects
#   aliases:
#     kyverno: [disallow-self-provisioner-binding]
#   parameters: {}
#   instead_of: []
package palisade.application.self_provisioner_bound

import rego.v1

import data.palisade.lib.values

everybody := {"system:authenticated", "system:authenticated:oauth", "system:unauthenticated"}

violation contains {"msg": msg, "path": ["subjects", index, "name"]} if {
	values.text(input, ["roleRef", "name"]) == "self-provisioner"
	some index, subject in values.list(input, ["subjects"])
	values.text(subject, ["kind"]) == "Group"
	group := values.text(subject, ["name"])
	group in everybody
	msg := sprintf("%s lets the group `%s` create projects", [input.palisade.title, group])
}
