# METADATA
# title: storage class is not on the list
# description: |-
#   Flags volume claims that ask for a storage class that is not on the list.
#
#   ## Why it matters
#   The class decides whether the disk is encrypted, in which zone it lies and whether it is deleted with
#   its claim.
#
#   ## Fix
#   Ask for a class of the list, or put this one on it.
#
#   ## Known gaps
#   Speaks only where palisade.yaml has the list. A claim without a class gets the default of the cluster
#   and is not reported.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/storage-classes/
# custom:
#   severity: low
#   persona: auditor
#   reads: [Pod, /PersistentVolumeClaim]
#   fix: ask for a storage class of the list
#   aliases:
#     gatekeeper: [storageclass]
#     kyverno: [restrict-storageclass]
#   parameters:
#     classes: {type: texts, doc: "storage classes that may be used"}
#   instead_of: []
package palisade.application.storage_class_not_allowed

import rego.v1

import data.palisade.lib.claims
import data.palisade.lib.values

default classes := []

classes := data.palisade.params["storage-class-not-allowed"].classes

not_applicable if count(classes) == 0

violation contains {"msg": msg, "path": path} if {
	count(classes) > 0
	some claim in claims.of(input)
	class := values.text(claim.spec, ["storageClassName"])
	class != ""
	not class in classes
	path := array.concat(claim.path, ["storageClassName"])
	msg := sprintf("%s asks for the storage class `%s`, which is not on the list", [input.palisade.title, class])
}
