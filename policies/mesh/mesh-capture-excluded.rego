# METADATA
# title: traffic is kept out of the mesh
# description: |-
#   Flags pods that take themselves, or some of their ports and addresses, out of the mesh.
#
#   ## Why it matters
#   What goes past the proxy is plaintext, has no identity and meets no authorization policy. The pod looks
#   like a member of the mesh all the same.
#
#   ## Fix
#   Remove the label or annotation.
#
#   ## Known gaps
#   Whether the namespace is in the mesh at all is not looked at. Ports that Linkerd skips are reported by
#   `linkerd-ports-skipped`.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/annotations/
# custom:
#   severity: medium
#   persona: regular
#   reads: [Pod]
#   fix: remove the label or annotation
#   aliases:
#     kyverno: [prevent-disabling-injection-pods, prevent-linkerd-pod-injection-override]
#   parameters: {}
#   instead_of: []
package palisade.mesh.mesh_capture_excluded

import rego.v1

import data.palisade.lib.pods

# Values that take the pod out, by kind of metadata and key.
switches := [
	["labels", "sidecar.istio.io/inject", "false"],
	["labels", "istio.io/dataplane-mode", "none"],
	["annotations", "sidecar.istio.io/inject", "false"],
	["annotations", "linkerd.io/inject", "disabled"],
]

# Lists of what is not captured.
exclusions := {
	"traffic.sidecar.istio.io/excludeInboundPorts",
	"traffic.sidecar.istio.io/excludeOutboundIPRanges",
	"traffic.sidecar.istio.io/excludeOutboundPorts",
}

# Lists of what is captured: an empty one is nothing.
inclusions := {
	"traffic.sidecar.istio.io/includeInboundPorts",
	"traffic.sidecar.istio.io/includeOutboundIPRanges",
}

violation contains {"msg": msg, "path": path} if {
	some pod in input.palisade.pods
	some [field, key, value] in switches
	pod[field][key] == value
	path := pods.metadata_at(pod, [field, key])
	msg := sprintf("%s takes itself out of the mesh", [input.palisade.title])
}

violation contains {"msg": msg, "path": path} if {
	some pod in input.palisade.pods
	some key in exclusions
	list := pod.annotations[key]
	is_string(list)
	list != ""
	path := pods.metadata_at(pod, ["annotations", key])
	msg := sprintf("%s keeps `%s` out of the mesh", [input.palisade.title, list])
}

violation contains {"msg": msg, "path": path} if {
	some pod in input.palisade.pods
	some key in inclusions
	pod.annotations[key] == ""
	path := pods.metadata_at(pod, ["annotations", key])
	msg := sprintf("%s lets the mesh capture nothing in this direction", [input.palisade.title])
}
