# METADATA
# title: namespace enforces the level privileged
# description: |-
#   Flags namespaces whose Pod Security level is `privileged`.
#
#   ## Why it matters
#   The label is there, and it forbids nothing: privileged pods, host paths and root are admitted as if it
#   were not.
#
#   ## Fix
#   Set the label to `baseline` or `restricted`, and move what needs more to a namespace of its own.
#
#   ## Known gaps
#   Admission policies of other engines are not counted.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/#privileged
# custom:
#   severity: high
#   persona: regular
#   reads: [Namespace]
#   fix: set the label to `baseline` or `restricted`
#   aliases:
#     kubescape:
#       [C-0192, C-0193, C-0194, C-0195, C-0196, C-0197, C-0198,
#       C-0199, C-0200, C-0201, C-0202, C-0203, C-0204]
#     kyverno: [deny-privileged-profile]
#   parameters: {}
#   instead_of: []
package palisade.policy.pod_security_privileged

import rego.v1

import data.palisade.lib.values

key := "pod-security.kubernetes.io/enforce"

violation contains {"msg": msg, "path": ["metadata", "labels", key]} if {
	values.text(input, ["metadata", "labels", key]) == "privileged"
	msg := sprintf("%s enforces the level `privileged`, which forbids nothing", [input.palisade.title])
}
