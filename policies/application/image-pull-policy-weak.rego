# METADATA
# title: node may run an old image
# description: |-
#   Flags images that are named by a tag and not asked for again at each start.
#
#   ## Why it matters
#   A node that has an image of that name runs it, whatever the registry says now. A fixed image does not
#   arrive, and a pod may use a private image that another pod has pulled.
#
#   ## Fix
#   Name the digest of the image, or set `imagePullPolicy: Always`.
#
#   ## Known gaps
#   An admission plugin may set the policy for all pods; a manifest does not show it.
# related_resources:
#   - https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: name the digest of the image, or set `imagePullPolicy` to `Always`
#   aliases:
#     kube-score: [container-image-pull-policy]
#     polaris: [pullPolicyNotAlways]
#     kubescape: [C-0075]
#     checkov: [CKV_K8S_15]
#     kyverno: [imagepullpolicy-always]
#   parameters: {}
#   instead_of: []
package palisade.application.image_pull_policy_weak

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.images
import data.palisade.lib.values

# What the API server fills in.
usual(image) := "Always" if images.latest(image)

usual(image) := "IfNotPresent" if not images.latest(image)

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	image := container.spec.image
	is_string(image)
	image != ""
	not images.pinned(image)
	policy := values.field(container.spec, ["imagePullPolicy"], usual(image))
	policy in {"IfNotPresent", "Never"}
	path := containers.at(container, ["imagePullPolicy"])
	msg := sprintf("image `%s` has the pull policy `%s`", [image, policy])
}
