# METADATA
# title: image has no digest
# description: |-
#   Flags images that are named by a tag alone.
#
#   ## Why it matters
#   A tag can be moved to other content at any time. What was reviewed, scanned and signed is then not
#   what the next node pulls.
#
#   ## Fix
#   Append the digest of the image: `@sha256:...`.
#
#   ## Known gaps
#   Registries may forbid to move tags; a manifest does not show it.
# related_resources:
#   - https://kubernetes.io/docs/concepts/containers/images/#image-names
# custom:
#   severity: medium
#   persona: pedantic
#   reads: [Pod]
#   fix: append `@sha256:...` to the image
#   aliases:
#     kubescape: [C-0306]
#     checkov: [CKV_K8S_43]
#     gatekeeper: [imagedigests]
#     kyverno: [require-image-checksum]
#   parameters: {}
#   instead_of: []
package palisade.application.mutable_image_tag

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.images

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	image := container.spec.image
	is_string(image)
	image != ""
	not images.pinned(image)
	path := containers.at(container, ["image"])
	msg := sprintf("image `%s` has no digest", [image])
}
