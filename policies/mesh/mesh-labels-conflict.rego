# METADATA
# title: labels of the mesh contradict each other
# description: |-
#   Flags namespaces with two labels that put them into the mesh in different ways.
#
#   ## Why it matters
#   Of `istio-injection` and `istio.io/rev` the first one wins, and of a sidecar and ambient mode the
#   sidecar. The other label says something that is not so: after an upgrade the pods stay with the old
#   control plane.
#
#   ## Fix
#   Keep one of the labels.
#
#   ## Known gaps
#   Labels of single pods are not compared.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/analysis/ist0123/
# custom:
#   severity: medium
#   persona: regular
#   reads: [Namespace]
#   fix: keep one of the labels
#   aliases:
#     istioctl: [IST0123]
#   parameters: {}
#   instead_of: []
package palisade.mesh.mesh_labels_conflict

import rego.v1

import data.palisade.lib.values

label(key) := values.text(input, ["metadata", "labels", key])

injected := "istio-injection" if label("istio-injection") == "enabled"

injected := "istio.io/rev" if {
	label("istio-injection") == ""
	label("istio.io/rev") != ""
}

# What loses against the label that injects.
loser := "istio.io/rev" if {
	label("istio-injection") != ""
	label("istio.io/rev") != ""
}

violation contains {"msg": msg, "path": path, "related": related} if {
	path := ["metadata", "labels", loser]
	related := [{"path": ["metadata", "labels", "istio-injection"], "msg": "this label wins"}]
	msg := sprintf("%s has `istio-injection` and `istio.io/rev`", [input.palisade.title])
}

violation contains {"msg": msg, "path": path, "related": related} if {
	path := ["metadata", "labels", "istio.io/dataplane-mode"]
	label("istio.io/dataplane-mode") == "ambient"
	related := [{"path": ["metadata", "labels", injected], "msg": "this label gives the pods a sidecar"}]
	msg := sprintf("%s asks for sidecars and for ambient mode", [input.palisade.title])
}
