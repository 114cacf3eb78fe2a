# METADATA
# title: label that is required is missing
# description: |-
#   Flags workloads without the labels or annotations that the configuration asks for.
#
#   ## Why it matters
#   Policies select by label, and alerts find their owner by it. A workload without is one that rules
#   pass over and nobody answers for.
#
#   ## Fix
#   Add the label or annotation.
#
#   ## Known gaps
#   Speaks only where palisade.yaml has one of the lists. The labels of the object itself count, not
#   those of its pods.
# related_resources:
#   - https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: add the label or annotation
#   aliases:
#     kube-linter: [required-label-owner, required-annotation-email]
#     polaris: [metadataAndInstanceMismatched]
#     kubescape: [C-0076, C-0077]
#     gatekeeper: [requiredlabels, requiredannotations]
#     kyverno: [require-labels]
#   parameters:
#     labels: {type: texts, doc: "keys of labels that every workload has"}
#     annotations: {type: texts, doc: "keys of annotations that every workload has"}
#   instead_of: []
package palisade.application.required_label_missing

import rego.v1

import data.palisade.lib.values

default labels := []

labels := data.palisade.params["required-label-missing"].labels

default annotations := []

annotations := data.palisade.params["required-label-missing"].annotations

not_applicable if {
	count(labels) == 0
	count(annotations) == 0
}

violation contains {"msg": msg, "path": ["metadata", "labels", key]} if {
	some key in labels
	values.text(input, ["metadata", "labels", key]) == ""
	msg := sprintf("%s has no label `%s`", [input.palisade.title, key])
}

violation contains {"msg": msg, "path": ["metadata", "annotations", key]} if {
	some key in annotations
	values.text(input, ["metadata", "annotations", key]) == ""
	msg := sprintf("%s has no annotation `%s`", [input.palisade.title, key])
}
