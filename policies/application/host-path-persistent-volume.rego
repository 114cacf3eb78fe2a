# METADATA
# title: PersistentVolume is a directory of a node
# description: |-
#   Flags PersistentVolumes of type `hostPath`.
#
#   ## Why it matters
#   The claim of a pod hides what the volume is: Pod Security forbids `hostPath` in pods and lets this
#   through. The pod gets the node's files all the same.
#
#   ## Fix
#   Use a CSI driver, or a `local` volume with its node affinity.
#
#   ## Known gaps
#   Whether a claim uses the volume is not looked at.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
# custom:
#   severity: medium
#   persona: regular
#   reads: [/PersistentVolume]
#   fix: use a CSI driver, or a `local` volume with its node affinity
#   aliases:
#     kyverno: [limit-hostpath-type-pv]
#   parameters: {}
#   instead_of: []
package palisade.application.host_path_persistent_volume

import rego.v1

import data.palisade.lib.values

violation contains {"msg": msg, "path": ["spec", "hostPath", "path"]} if {
	path := values.text(input, ["spec", "hostPath", "path"])
	path != ""
	msg := sprintf("%s is the directory `%s` of a node", [input.palisade.title, path])
}
