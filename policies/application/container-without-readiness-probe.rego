# METADATA
# title: container has no readiness probe
# description: |-
#   Flags containers that run for ever and have no readiness probe.
#
#   ## Why it matters
#   Services send traffic to the pod as soon as its process runs. During each rollout clients are served
#   by programs that are not ready yet.
#
#   ## Fix
#   Add a `readinessProbe`.
#
#   ## Known gaps
#   Whether a Service selects the pod is not looked at. Pods that end by themselves, init containers,
#   ephemeral containers and Knative, which adds a probe itself, are left out.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: add a `readinessProbe`
#   aliases:
#     kube-linter: [no-readiness-probe]
#     kube-score: [pod-probes]
#     polaris: [readinessProbeMissing]
#     kubescape: [C-0018]
#     checkov: [CKV_K8S_9]
#     gatekeeper: [requiredprobes]
#     kyverno: [require-probes]
#   parameters: {}
#   instead_of: []
package palisade.application.container_without_readiness_probe

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.pods
import data.palisade.lib.values

violation contains {"msg": msg, "path": path} if {
	input.palisade.group != "serving.knative.dev"
	some container in input.palisade.containers
	container.list == "containers"
	pods.long_running(input.palisade.kind, input.palisade.pods[container.pod])
	count(values.map(container.spec, ["readinessProbe"])) == 0
	path := containers.at(container, ["readinessProbe"])
	title := containers.title(container)
	msg := sprintf("%s of %s has no readiness probe", [title, input.palisade.title])
}
