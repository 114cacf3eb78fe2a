# METADATA
# title: pull secret is not on the list
# description: |-
#   Flags pods that pull images with a Secret that is not on the list.
#
#   ## Why it matters
#   A pull secret opens a registry. One that nobody knows may open one that nobody chose.
#
#   ## Fix
#   Use a pull secret of the list, or put this one on it.
#
#   ## Known gaps
#   Speaks only where palisade.yaml has the list. Pull secrets of the service account are not looked at.
# related_resources:
#   - https://kubernetes.io/docs/concepts/containers/images/#using-a-private-registry
# custom:
#   severity: low
#   persona: auditor
#   reads: [Pod]
#   fix: use a pull secret of the list
#   aliases:
#     kyverno: [require-imagepullsecrets]
#   parameters:
#     secrets: {type: texts, doc: "names of pull secrets that may be used"}
#   instead_of: []
package palisade.application.image_pull_secret_not_allowed

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

default secrets := []

secrets := data.palisade.params["image-pull-secret-not-allowed"].secrets

not_applicable if count(secrets) == 0

violation contains {"msg": msg, "path": path} if {
	count(secrets) > 0
	some pod in input.palisade.pods
	some index, reference in values.list(pod.spec, ["imagePullSecrets"])
	name := values.text(reference, ["name"])
	name != ""
	not name in secrets
	path := pods.at(pod, ["imagePullSecrets", index, "name"])
	msg := sprintf("%s pulls images with Secret `%s`, which is not on the list", [input.palisade.title, name])
}
