# METADATA
# title: Linkerd admits callers without identity
# description: |-
#   Flags default policies of Linkerd that admit unauthenticated callers.
#
#   ## Why it matters
#   Where no Server selects the port this policy decides. With `all-unauthenticated` everybody who reaches
#   the pod is let in, and mTLS says nothing about who may call.
#
#   ## Fix
#   Set `config.linkerd.io/default-inbound-policy` to `deny` or `cluster-authenticated`.
#
#   ## Known gaps
#   Without the annotation the policy of the installation holds, which admits everybody unless it was
#   changed. Only a namespace that asks for the proxy is reported for that.
# related_resources:
#   - https://linkerd.io/2/reference/authorization-policy/
# custom:
#   severity: medium
#   persona: regular
#   reads: [Pod, Namespace]
#   fix: set `config.linkerd.io/default-inbound-policy` to `deny` or `cluster-authenticated`
#   aliases:
#     kyverno: [add-linkerd-policy-annotation]
#   parameters: {}
#   instead_of: []
package palisade.mesh.linkerd_default_policy_open

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

key := "config.linkerd.io/default-inbound-policy"

open_policies := {"all-unauthenticated", "audit", "cluster-unauthenticated"}

says(policy) := sprintf("%s admits callers without identity (`%s`)", [input.palisade.title, policy])

violation contains {"msg": says(policy), "path": pods.metadata_at(pod, ["annotations", key])} if {
	some pod in input.palisade.pods
	policy := values.text(pod, ["annotations", key])
	policy in open_policies
}

violation contains {"msg": says(policy), "path": ["metadata", "annotations", key]} if {
	input.palisade.kind == "Namespace"
	policy := values.text(input, ["metadata", "annotations", key])
	policy in open_policies
}

violation contains {"msg": msg, "path": ["metadata", "annotations", key]} if {
	input.palisade.kind == "Namespace"
	values.text(input, ["metadata", "annotations", "linkerd.io/inject"]) == "enabled"
	values.text(input, ["metadata", "annotations", key]) == ""
	msg := sprintf("%s leaves it to the installation who may call", [input.palisade.title])
}
