# METADATA
# title: disk of the container is not limited
# description: |-
#   Flags containers without a limit of ephemeral storage.
#
#   ## Why it matters
#   Logs and what a program writes lie on the node's disk. One container that fills it has every pod of the
#   node evicted.
#
#   ## Fix
#   Set `resources.limits.ephemeral-storage`.
#
#   ## Known gaps
#   A LimitRange of the namespace counts where it is in the input. Ephemeral containers may have no limits
#   and are left out.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/ephemeral-storage/
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: set `resources.limits.ephemeral-storage`
#   aliases:
#     kube-score: [container-ephemeral-storage-request-and-limit]
#     gatekeeper: [ephemeralstoragelimit]
#   parameters: {}
#   instead_of: []
package palisade.application.ephemeral_storage_unlimited

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.values

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	container.list != "ephemeralContainers"
	values.field(container.resources, ["limits", "ephemeral-storage"], "") == ""
	path := containers.at(container, ["resources", "limits", "ephemeral-storage"])
	title := containers.title(container)
	msg := sprintf("%s of %s may fill the disk of its node", [title, input.palisade.title])
}
