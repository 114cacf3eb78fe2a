# METADATA
# title: container runs an SSH server
# description: |-
#   Flags containers that declare an SSH port or start an SSH server.
#
#   ## Why it matters
#   A second way in, with its own passwords and keys, past the API server: no RBAC, no audit log and no
#   admission control knows who logged in.
#
#   ## Fix
#   Remove the server, and use `kubectl exec` or an ephemeral container.
#
#   ## Known gaps
#   A server that an image starts by itself on another port is not seen. Git servers speak SSH for a
#   reason of their own and are reported as well.
# related_resources:
#   - https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/
# custom:
#   severity: medium
#   persona: regular
#   reads: [Pod]
#   fix: remove the SSH server
#   aliases:
#     kube-linter: [ssh-port]
#     kubescape: [C-0042]
#   parameters: {}
#   instead_of: []
package palisade.application.ssh_port

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.values

servers := {"sshd", "dropbear"}

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	some index, port in values.list(container.spec, ["ports"])
	number := values.number(port, ["containerPort"], 0)
	number in {22, 2222}
	values.field(port, ["protocol"], "TCP") == "TCP"
	path := containers.at(container, ["ports", index, "containerPort"])
	title := containers.title(container)
	msg := sprintf("%s of %s declares the SSH port %v", [title, input.palisade.title, number])
}

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	some field in ["command", "args"]
	words := container.spec[field]
	is_array(words)
	some index, word in words
	is_string(word)
	some part in split(replace(word, "\n", " "), " ")
	values.base(part) in servers
	path := containers.at(container, [field, index])
	msg := sprintf("%s of %s starts an SSH server", [containers.title(container), input.palisade.title])
}
