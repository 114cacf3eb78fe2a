# METADATA
# title: Secret reaches the container as environment variable
# description: |-
#   Flags containers that get a Secret by an environment variable.
#
#   ## Why it matters
#   The environment is inherited by every child process and printed by crash reports and debug pages. A
#   rotated Secret does not reach a running pod this way.
#
#   ## Fix
#   Mount the Secret as a file.
#
#   ## Known gaps
#   One finding per reference. What the program does with the variable is not known.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: mount the Secret as a file
#   aliases:
#     kube-linter: [read-secret-from-env-var]
#     kubescape: [C-0207]
#     checkov: [CKV_K8S_35]
#     kyverno: [disallow-secrets-from-env-vars]
#   parameters: {}
#   instead_of: []
package palisade.application.secret_exposed_as_env

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.values

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	some index, entry in values.list(container.spec, ["env"])
	secret := values.text(entry, ["valueFrom", "secretKeyRef", "name"])
	secret != ""
	path := containers.at(container, ["env", index, "valueFrom", "secretKeyRef", "name"])
	msg := sprintf("%s gets Secret `%s` by an environment variable", [containers.title(container), secret])
}

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	some index, entry in values.list(container.spec, ["envFrom"])
	secret := values.text(entry, ["secretRef", "name"])
	secret != ""
	path := containers.at(container, ["envFrom", index, "secretRef", "name"])
	msg := sprintf("%s gets all of Secret `%s` by environment variables", [containers.title(container), secret])
}
