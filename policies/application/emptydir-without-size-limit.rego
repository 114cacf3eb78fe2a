# METADATA
# title: emptyDir has no size limit
# description: |-
#   Flags `emptyDir` volumes without a `sizeLimit`.
#
#   ## Why it matters
#   The volume lies on the node's disk, or in its memory. A program that fills it, or one that is made to,
#   takes the space from every other pod of the node.
#
#   ## Fix
#   Set `sizeLimit`.
#
#   ## Known gaps
#   A limit of `ephemeral-storage` on the containers bounds the disk as well; it is not looked at.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/volumes/#emptydir
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: set `sizeLimit`
#   aliases:
#     kyverno: [require-emptydir-requests-limits]
#   parameters: {}
#   instead_of: []
package palisade.application.emptydir_without_size_limit

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

# A volume without a source is an emptyDir.
is_empty_dir(volume) if is_object(values.field(volume, ["emptyDir"], null))

is_empty_dir(volume) if {
	is_object(volume)
	sources := [key | some key, value in volume; key != "name"; value != null]
	count(sources) == 0
}

violation contains {"msg": msg, "path": path} if {
	some pod in input.palisade.pods
	some index, volume in values.list(pod.spec, ["volumes"])
	is_empty_dir(volume)
	values.field(volume, ["emptyDir", "sizeLimit"], "") == ""
	path := pods.at(pod, ["volumes", index, "emptyDir", "sizeLimit"])
	name := values.text(volume, ["name"])
	msg := sprintf("volume `%s` of %s has no size limit", [name, input.palisade.title])
}
