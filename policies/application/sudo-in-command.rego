# METADATA
# title: container calls sudo
# description: |-
#   Flags containers whose command, arguments or hooks call `sudo`.
#
#   ## Why it matters
#   `sudo` needs a container that may gain rights, and an image that lets its user become root. Who takes
#   over the program does the same.
#
#   ## Fix
#   Run the one step that needs root in an init container, or prepare it in the image.
#
#   ## Known gaps
#   Scripts in the image are not read.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   severity: medium
#   persona: pedantic
#   reads: [Pod]
#   fix: remove `sudo` from the command
#   aliases:
#     kubescape: [C-0062]
#   parameters: {}
#   instead_of: []
package palisade.application.sudo_in_command

import rego.v1

import data.palisade.lib.containers

places := [
	["command"], ["args"],
	["lifecycle", "postStart", "exec", "command"], ["lifecycle", "preStop", "exec", "command"],
]

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	some place in places
	words := object.get(container.spec, place, null)
	is_array(words)
	some index, word in words
	is_string(word)
	regex.match(`(^|[\s;&|(/])sudo(\s|$)`, word)
	path := containers.at(container, array.concat(place, [index]))
	msg := sprintf("%s of %s calls `sudo`", [containers.title(container), input.palisade.title])
}
