# METADATA
# title: ephemeral container is present
# description: |-
#   Flags pods with an ephemeral container.
#
#   ## Why it matters
#   Somebody has put a container into a running pod, with tools that nobody reviewed. It shares the pod's
#   network and identity, and it stays until the pod is gone.
#
#   ## Fix
#   Delete the pod and let its controller start a clean one.
#
#   ## Known gaps
#   Whether the container still runs is not looked at.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/
# custom:
#   severity: medium
#   persona: pedantic
#   reads: [Pod]
#   fix: delete the pod and let its controller start a clean one
#   aliases:
#     kyverno: [block-ephemeral-containers]
#   parameters: {}
#   instead_of: []
package palisade.application.ephemeral_container_present

import rego.v1

import data.palisade.lib.containers

violation contains {"msg": msg, "path": container.path} if {
	some container in input.palisade.containers
	container.list == "ephemeralContainers"
	msg := sprintf("%s has the %s", [input.palisade.title, containers.title(container)])
}
