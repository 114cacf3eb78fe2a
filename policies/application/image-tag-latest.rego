# METADATA
# title: image has the tag latest, or none
# description: |-
#   Flags images whose tag is `latest` or missing.
#
#   ## Why it matters
#   Nobody can say which program runs: two pods of the same workload may run different ones, and a
#   rollback brings back the same reference. Whoever can push to the repository decides what runs next.
#
#   ## Fix
#   Name the version, better still the digest of the image.
#
#   ## Known gaps
#   Other tags that move, such as `stable` or `main`, are not reported; `mutable-image-tag` reports
#   every image without a digest.
# related_resources:
#   - https://kubernetes.io/docs/concepts/containers/images/#image-names
# custom:
#   severity: medium
#   persona: regular
#   reads: [Pod]
#   fix: name the version of the image
#   aliases:
#     kube-linter: [latest-tag]
#     kube-score: [container-image-tag]
#     polaris: [tagNotSpecified]
#     kubescape: [C-0075]
#     trivy: [KSV-0013]
#     checkov: [CKV_K8S_14]
#     gatekeeper: [disallowedtags]
#     kyverno: [disallow-latest-tag]
#   parameters: {}
#   instead_of: [mutable-image-tag]
package palisade.application.image_tag_latest

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.images

says(image) := sprintf("image `%s` has the tag `latest`", [image]) if endswith(image, ":latest")

says(image) := sprintf("image `%s` has no tag", [image]) if not endswith(image, ":latest")

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	image := container.spec.image
	is_string(image)
	image != ""
	images.latest(image)
	path := containers.at(container, ["image"])
	msg := says(image)
}
