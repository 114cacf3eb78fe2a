# METADATA
# title: image comes from a registry that is not allowed
# description: |-
#   Flags images from a registry that is not on the allowlist, or that is on the denylist.
#
#   ## Why it matters
#   What runs in the cluster is decided where its images lie. A registry that nobody chose is one whose
#   content nobody scans and whose owner nobody knows.
#
#   ## Fix
#   Copy the image to a registry that is allowed, or put its registry on the list.
#
#   ## Known gaps
#   Speaks only where palisade.yaml has one of the lists. A name without a host is one of `docker.io`,
#   whatever the nodes are configured to do with it.
# related_resources:
#   - https://kubernetes.io/docs/concepts/containers/images/#image-names
# custom:
#   severity: high
#   persona: regular
#   reads: [Pod]
#   fix: take the image from a registry that is allowed
#   aliases:
#     kubescape: [C-0001, C-0078]
#     trivy: [KSV-0125]
#     gatekeeper: [allowedreposv2, disallowedrepos]
#     kyverno: [restrict-image-registries]
#   parameters:
#     registries: {type: texts, doc: "registries that are allowed: `host` or `host/path`"}
#     denied: {type: texts, doc: "registries that are forbidden although a wider one is allowed"}
#   instead_of: []
package palisade.application.image_registry_not_allowed

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.images

default registries := []

registries := data.palisade.params["image-registry-not-allowed"].registries

default denied := []

denied := data.palisade.params["image-registry-not-allowed"].denied

not_applicable if {
	count(registries) == 0
	count(denied) == 0
}

on(list, parsed) if {
	some registry in list
	images.lies_in(parsed, registry)
}

refused(parsed) := "is forbidden" if on(denied, parsed)

refused(parsed) := "is not on the list" if {
	not on(denied, parsed)
	count(registries) > 0
	not on(registries, parsed)
}

violation contains {"msg": msg, "path": path} if {
	not not_applicable
	some container in input.palisade.containers
	parsed := images.parse(container.spec.image)
	reason := refused(parsed)
	path := containers.at(container, ["image"])
	msg := sprintf("image `%s` comes from `%s`, which %s", [container.spec.image, parsed.host, reason])
}
