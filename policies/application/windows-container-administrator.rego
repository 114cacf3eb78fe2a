# METADATA
# title: Windows container runs as ContainerAdministrator
# description: |-
#   Flags Windows containers whose user is ContainerAdministrator.
#
#   ## Why it matters
#   That user may change everything in the container and is the first step of every known way out of it.
#
#   ## Fix
#   Set `windowsOptions.runAsUserName` to `ContainerUser`.
#
#   ## Known gaps
#   The user that an image brings along, in most cases this one, is not known.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/configure-runasusername/
# custom:
#   severity: medium
#   persona: pedantic
#   reads: [Pod]
#   fix: set `windowsOptions.runAsUserName` to `ContainerUser`
#   aliases: {}
#   parameters: {}
#   instead_of: []
package palisade.application.windows_container_administrator

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.pods
import data.palisade.lib.values

place := ["securityContext", "windowsOptions", "runAsUserName"]

# Names may carry a domain and are compared without regard to case.
administrator(name) if {
	parts := split(lower(name), "\\")
	parts[count(parts) - 1] == "containeradministrator"
}

# A container's own user wins over the pod's.
violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	administrator(values.text(container.spec, place))
	path := containers.at(container, place)
	title := containers.title(container)
	msg := sprintf("%s of %s runs as ContainerAdministrator", [title, input.palisade.title])
}

inherits(index) if {
	some container in input.palisade.containers
	container.pod == index
	values.text(container.spec, place) == ""
}

violation contains {"msg": msg, "path": path} if {
	some index, pod in input.palisade.pods
	administrator(values.text(pod.spec, place))
	inherits(index)
	path := pods.at(pod, place)
	msg := sprintf("%s runs as ContainerAdministrator", [input.palisade.title])
}
