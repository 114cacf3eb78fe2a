# METADATA
# title: container listens on a port below 1024
# description: |-
#   Flags containers that declare a port below 1024.
#
#   ## Why it matters
#   Such ports ask for root, for `NET_BIND_SERVICE` or for a changed kernel setting. Each of them is more
#   than a program needs that may as well listen on 8080.
#
#   ## Fix
#   Listen on a port from 1024 on, and let the Service translate it by `targetPort`.
#
#   ## Known gaps
#   Ports that are not declared are not known. Runtimes may let every user bind low ports.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/#defining-a-service
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: listen on a port from 1024 on
#   aliases:
#     kube-linter: [privileged-ports]
#     trivy: [KSV-0117]
#   parameters: {}
#   instead_of: []
package palisade.application.privileged_port

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.values

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	some index, port in values.list(container.spec, ["ports"])
	number := values.number(port, ["containerPort"], 0)
	number > 0
	number < 1024
	path := containers.at(container, ["ports", index, "containerPort"])
	title := containers.title(container)
	msg := sprintf("%s of %s listens on port %v", [title, input.palisade.title, number])
}
