# METADATA
# title: probe asks a port that is not declared
# description: |-
#   Flags probes whose port no container of the pod declares.
#
#   ## Why it matters
#   A port by name that does not exist makes the probe fail for ever. A number that nobody declares is as
#   a rule the port of yesterday.
#
#   ## Fix
#   Declare the port under `ports`, or correct the probe.
#
#   ## Known gaps
#   Declaring ports is voluntary: a number may be right all the same. A name counts in its own container
#   only.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: declare the port under `ports`, or correct the probe
#   aliases:
#     kube-linter: [liveness-port, readiness-port, startup-port]
#   parameters: {}
#   instead_of: []
package palisade.application.probe_port_not_exposed

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.values

probes := ["livenessProbe", "readinessProbe", "startupProbe"]

handlers := ["httpGet", "tcpSocket", "grpc"]

# Names and numbers of the ports that a container may be asked for, as texts.
names(container) := {values.text(port, ["name"]) |
	some port in values.list(container.spec, ["ports"])
}

numbers(pod) := {sprintf("%v", [values.number(port, ["containerPort"], 0)]) |
	some container in input.palisade.containers
	container.pod == pod
	some port in values.list(container.spec, ["ports"])
}

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	some probe in probes
	some handler in handlers
	written := container.spec[probe][handler].port
	written != null
	port := sprintf("%v", [written])
	not port in names(container)
	not port in numbers(container.pod)
	path := containers.at(container, [probe, handler, "port"])
	title := containers.title(container)
	msg := sprintf("%s of %s is probed on port `%s`, which is not declared", [title, input.palisade.title, port])
}
