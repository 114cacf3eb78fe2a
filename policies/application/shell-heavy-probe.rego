# METADATA
# title: probe runs a shell script
# description: |-
#   Flags probes that run a shell with several commands.
#
#   ## Why it matters
#   The kubelet starts the processes anew every few seconds, in the container and on its account. A
#   script that hangs or leaves children behind slows down the program it should watch.
#
#   ## Fix
#   Ask by `httpGet`, `tcpSocket` or `grpc`, or run one small program.
#
#   ## Known gaps
#   What a script file does is not known.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: ask by `httpGet`, `tcpSocket` or `grpc`, or run one small program
#   aliases:
#     kyverno: [deny-commands-in-exec-probe]
#   parameters: {}
#   instead_of: []
package palisade.application.shell_heavy_probe

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.values

shells := {"sh", "bash", "ash", "dash", "zsh", "ksh"}

scripted(words) if {
	values.base(words[0]) in shells
	some word in words
	regex.match(`[|;\n]|&&|\$\(`, word)
}

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	some probe in ["livenessProbe", "readinessProbe", "startupProbe"]
	scripted(values.texts(container.spec[probe].exec, ["command"]))
	path := containers.at(container, [probe, "exec", "command"])
	msg := sprintf("%s of %s runs a shell script", [probe, containers.title(container)])
}
