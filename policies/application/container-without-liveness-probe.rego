# METADATA
# title: container has no liveness probe
# description: |-
#   Flags containers that run for ever and have no liveness probe.
#
#   ## Why it matters
#   A program that hangs goes on holding its connections and its place. Nobody restarts it until a
#   person notices.
#
#   ## Fix
#   Add a `livenessProbe` that asks the program itself and nothing behind it.
#
#   ## Known gaps
#   A program that ends when it is broken needs no such probe; a manifest does not show it. Pods that end
#   by themselves, init containers and ephemeral containers are left out.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: add a `livenessProbe`
#   aliases:
#     kube-linter: [no-liveness-probe]
#     polaris: [livenessProbeMissing]
#     kubescape: [C-0056]
#     checkov: [CKV_K8S_8]
#     gatekeeper: [requiredprobes]
#     kyverno: [require-probes]
#   parameters: {}
#   instead_of: []
package palisade.application.container_without_liveness_probe

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.pods
import data.palisade.lib.values

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	container.list == "containers"
	pods.long_running(input.palisade.kind, input.palisade.pods[container.pod])
	count(values.map(container.spec, ["livenessProbe"])) == 0
	path := containers.at(container, ["livenessProbe"])
	title := containers.title(container)
	msg := sprintf("%s of %s has no liveness probe", [title, input.palisade.title])
}
