# METADATA
# title: several pods may write one volume
# description: |-
#   Flags volume claims whose access mode lets several pods write.
#
#   ## Why it matters
#   A pod that was taken over changes the files of the others. `ReadWriteOnce` means one node, not one pod:
#   two pods there share the volume.
#
#   ## Fix
#   Ask for `ReadWriteOncePod`, where the driver knows it.
#
#   ## Known gaps
#   Whether a second pod uses the claim is not looked at.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes
# custom:
#   severity: low
#   persona: auditor
#   reads: [Pod, /PersistentVolumeClaim]
#   fix: ask for `ReadWriteOncePod`
#   aliases:
#     kyverno: [enforce-readwriteonce-pod]
#   parameters: {}
#   instead_of: []
package palisade.application.volume_shared_for_writing

import rego.v1

import data.palisade.lib.claims
import data.palisade.lib.values

shared := {"ReadWriteMany", "ReadWriteOnce"}

violation contains {"msg": msg, "path": path} if {
	some claim in claims.of(input)
	some index, mode in values.list(claim.spec, ["accessModes"])
	mode in shared
	path := array.concat(claim.path, ["accessModes", index])
	msg := sprintf("%s lets several pods write the volume (%s)", [input.palisade.title, mode])
}
