# METADATA
# title: volume uses a FlexVolume driver
# description: |-
#   Flags volumes of type `flexVolume`.
#
#   ## Why it matters
#   The driver is a program on the node that the kubelet runs as root, with options out of the manifest.
#   FlexVolume is deprecated, and hardly anybody looks after its drivers.
#
#   ## Fix
#   Use the CSI driver of the storage.
#
#   ## Known gaps
#   None known.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/volumes/#flexvolume
# custom:
#   severity: medium
#   persona: regular
#   reads: [Pod, /PersistentVolume]
#   fix: use the CSI driver of the storage
#   aliases:
#     gatekeeper: [flexvolume-drivers]
#   parameters: {}
#   instead_of: []
package palisade.application.flex_volume

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

says(volume) := sprintf("%s uses a FlexVolume driver", [input.palisade.title]) if {
	values.text(volume, ["flexVolume", "driver"]) == ""
}

says(volume) := sprintf("%s uses the FlexVolume driver `%s`", [input.palisade.title, driver]) if {
	driver := values.text(volume, ["flexVolume", "driver"])
	driver != ""
}

violation contains {"msg": says(volume), "path": path} if {
	some pod in input.palisade.pods
	some index, volume in values.list(pod.spec, ["volumes"])
	is_object(values.field(volume, ["flexVolume"], null))
	path := pods.at(pod, ["volumes", index, "flexVolume"])
}

violation contains {"msg": says(input.spec), "path": ["spec", "flexVolume"]} if {
	input.palisade.kind == "PersistentVolume"
	is_object(values.field(input, ["spec", "flexVolume"], null))
}
