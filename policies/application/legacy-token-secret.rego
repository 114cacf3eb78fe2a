# METADATA
# title: token of a service account lies in a Secret
# description: |-
#   Flags Secrets that hold a service account token without an end.
#
#   ## Why it matters
#   The control plane writes a token into such a Secret that never expires and is bound to no pod. Who
#   has read it once is that account until somebody deletes the Secret.
#
#   ## Fix
#   Delete the Secret. Pods get a token by projection, programs outside the cluster by the
#   `TokenRequest` API (`kubectl create token`).
#
#   ## Known gaps
#   Whether anything uses the token is not known.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets
# custom:
#   severity: high
#   persona: regular
#   reads: [Secret]
#   fix: delete the Secret and request tokens that expire
#   aliases:
#     kyverno: [deny-secret-service-account-token-type]
#   parameters: {}
#   instead_of: []
package palisade.application.legacy_token_secret

import rego.v1

import data.palisade.lib.values

violation contains {"msg": msg, "path": ["type"]} if {
	values.text(input, ["type"]) == "kubernetes.io/service-account-token"
	account := values.text(input, ["metadata", "annotations", "kubernetes.io/service-account.name"])
	msg := sprintf("%s holds a token of %s without an end", [input.palisade.title, spoken(account)])
}

spoken(account) := sprintf("`%s`", [account]) if account != ""

spoken(account) := "a service account" if account == ""
