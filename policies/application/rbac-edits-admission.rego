# METADATA
# title: role edits admission control
# description: |-
#   Flags roles that may change webhooks, admission policies or the exceptions from them.
#
#   ## Why it matters
#   Admission control is what keeps privileged pods out. Who may change a webhook or write an exception
#   switches it off for himself; a new mutating webhook sees every object, Secrets included.
#
#   ## Fix
#   Leave these verbs to the operator that installs the policies, and limit it by `resourceNames`.
#
#   ## Known gaps
#   A rule with `resourceNames` is left out. A resource `*` is reported by `rbac-wildcard`. Does not
#   apply to ClusterRoles that collect the rules of others.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#control-admission-webhooks
# custom:
#   severity: high
#   persona: regular
#   reads: [Role, ClusterRole]
#   fix: leave webhooks, policies and exceptions to the operator that installs them
#   aliases:
#     kubescape: [C-0281]
#     trivy: [KSV-0114]
#     checkov: [CKV_K8S_155]
#   parameters: {}
#   instead_of: []
package palisade.application.rbac_edits_admission

import rego.v1

import data.palisade.lib.rbac

not_applicable if rbac.aggregated(input)

of_namespace := {
	"kyverno.io": {"policies", "policyexceptions"},
	"policies.kyverno.io": {"policyexceptions"},
	"config.gatekeeper.sh": {"configs"},
}

# With what exists once for the cluster; a Role grants nothing on that.
of_cluster := {
	"admissionregistration.k8s.io": {
		"mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "mutatingwebhookconfigurations",
		"validatingadmissionpolicies", "validatingadmissionpolicybindings", "validatingwebhookconfigurations",
	},
	"kyverno.io": {"clusterpolicies", "policies", "policyexceptions"},
	"policies.kyverno.io": {
		"imagevalidatingpolicies", "mutatingpolicies", "policyexceptions", "validatingpolicies",
	},
	"config.gatekeeper.sh": {"configs"},
	"templates.gatekeeper.sh": {"constrainttemplates"},
}

kinds := of_namespace if input.palisade.kind == "Role"

kinds := of_cluster if input.palisade.kind == "ClusterRole"

violation contains {"msg": msg, "path": grant.path} if {
	not rbac.aggregated(input)
	some grant in rbac.unlimited(input, kinds, rbac.writes)
	msg := rbac.says(input.palisade.title, grant)
}
