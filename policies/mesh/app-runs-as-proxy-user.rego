# METADATA
# title: program runs as the user of the proxy
# description: |-
#   Flags containers that run as user 1337 in a pod with a sidecar of Istio.
#
#   ## Why it matters
#   The rules that send a pod's traffic through the proxy leave out what user 1337 sends, so that the proxy
#   does not catch itself. The program's traffic leaves the mesh unseen.
#
#   ## Fix
#   Run the program as another user.
#
#   ## Known gaps
#   Applies where labels of the namespace or of the pod ask for a sidecar. The user that the image brings
#   along is not known.
# related_resources:
#   - https://istio.io/latest/docs/ops/deployment/application-requirements/
# custom:
#   severity: high
#   persona: regular
#   reads: [Pod]
#   fix: run the program as another user
#   aliases:
#     istioctl: [IST0144]
#   parameters: {}
#   instead_of: []
package palisade.mesh.app_runs_as_proxy_user

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.pods
import data.palisade.lib.values

own_containers := {"istio-init", "istio-proxy", "istio-validation"}

of_namespace if values.text(input.palisade, ["namespace_labels", "istio-injection"]) == "enabled"

of_namespace if {
	values.text(input.palisade, ["namespace_labels", "istio-injection"]) == ""
	values.text(input.palisade, ["namespace_labels", "istio.io/rev"]) != ""
}

# What a pod says of itself counts before what its namespace says.
said(pod) := values.text(pod.labels, ["sidecar.istio.io/inject"])

sidecar(pod) if said(pod) == "true"

sidecar(pod) if {
	said(pod) == ""
	of_namespace
}

not_applicable if {
	some_sidecar := [pod | some pod in input.palisade.pods; sidecar(pod)]
	count(some_sidecar) == 0
}

place := ["securityContext", "runAsUser"]

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	container.spec.securityContext.runAsUser == 1337
	not container.name in own_containers
	sidecar(input.palisade.pods[container.pod])
	path := containers.at(container, place)
	title := containers.title(container)
	msg := sprintf("%s of %s runs as the user of the proxy", [title, input.palisade.title])
}

inherits(index) if {
	some container in input.palisade.containers
	container.pod == index
	not container.name in own_containers
	values.field(container.spec, place, null) == null
}

violation contains {"msg": msg, "path": path} if {
	some index, pod in input.palisade.pods
	pod.spec.securityContext.runAsUser == 1337
	sidecar(pod)
	inherits(index)
	path := pods.at(pod, place)
	msg := sprintf("%s runs as the user of the proxy", [input.palisade.title])
}
