# METADATA
# title: application belongs to the default project
# description: |-
#   Flags Applications of Argo CD in the project `default`.
#
#   ## Why it matters
#   Argo CD creates that project without limits: every repository, every cluster, every kind. An
#   Application in it may deploy anything anywhere.
#
#   ## Fix
#   Create an AppProject for the team, and name it in `spec.project`.
#
#   ## Known gaps
#   The project may have been limited; the AppProject is not looked at.
# related_resources:
#   - https://argo-cd.readthedocs.io/en/stable/user-guide/projects/#the-default-project
# custom:
#   severity: medium
#   persona: regular
#   reads: [argoproj.io/Application]
#   fix: name an AppProject of the team in `spec.project`
#   aliases:
#     kyverno: [application-prevent-default-project]
#   parameters: {}
#   instead_of: []
package palisade.application.gitops_default_project

import rego.v1

import data.palisade.lib.values

violation contains {"msg": msg, "path": ["spec", "project"]} if {
	values.text(input, ["spec", "project"]) in {"", "default"}
	msg := sprintf("%s belongs to the project `default`", [input.palisade.title])
}
