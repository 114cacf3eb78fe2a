# METADATA
# title: container waits for somebody at a terminal
# description: |-
#   Flags containers with `tty` or `stdin`.
#
#   ## Why it matters
#   `kubectl attach` gives whoever may call it the program's own input, without a new process that would
#   be noticed. A service has no use for it.
#
#   ## Fix
#   Remove `stdin` and `tty`.
#
#   ## Known gaps
#   Ephemeral containers are made for this and are left out.
# related_resources:
#   - https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#debugging
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: remove `stdin` and `tty`
#   aliases:
#     gatekeeper: [disallowinteractive]
#   parameters: {}
#   instead_of: []
package palisade.application.interactive_container

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.values

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	container.list != "ephemeralContainers"
	some field in ["stdin", "tty"]
	values.field(container.spec, [field], false) == true
	path := containers.at(container, [field])
	msg := sprintf("%s of %s has `%s`", [containers.title(container), input.palisade.title, field])
}
