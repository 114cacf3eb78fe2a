# METADATA
# title: image comes from a retired registry
# description: |-
#   Flags images from the registries that Kubernetes has given up.
#
#   ## Why it matters
#   `k8s.gcr.io` has been frozen since April 2023: no fix arrives there. One day it is switched off, and
#   a node that is replaced cannot start the pod any more.
#
#   ## Fix
#   Use `registry.k8s.io`, or a copy of your own.
#
#   ## Known gaps
#   Retired registries of others are not listed.
# related_resources:
#   - https://kubernetes.io/blog/2023/03/10/image-registry-redirect/
# custom:
#   severity: medium
#   persona: regular
#   reads: [Pod]
#   fix: take the image from `registry.k8s.io`
#   aliases:
#     kubescape: [C-0253]
#     kyverno: [restrict-deprecated-registry]
#   parameters: {}
#   instead_of: []
package palisade.application.image_registry_retired

import rego.v1

import data.palisade.lib.containers

retired := ["k8s.gcr.io", "gcr.io/google-containers", "gcr.io/google_containers"]

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	image := container.spec.image
	is_string(image)
	some registry in retired
	startswith(image, concat("", [registry, "/"]))
	path := containers.at(container, ["image"])
	msg := sprintf("image `%s` comes from `%s`, which is frozen", [image, registry])
}
