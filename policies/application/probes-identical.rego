# METADATA
# title: liveness and readiness probe are the same
# description: |-
#   Flags containers whose liveness probe asks the same, in the same rhythm, as the readiness probe.
#
#   ## Why it matters
#   A program that is overloaded should be left alone for a while. With one question for both it is
#   restarted at the very moment in which it only had to be spared, and the load moves to the next one.
#
#   ## Fix
#   Let the liveness probe ask less, or give it a higher `failureThreshold`.
#
#   ## Known gaps
#   The same question with another threshold or period is not reported. `initialDelaySeconds` does not
#   make a difference.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: let the liveness probe ask less, or raise its `failureThreshold`
#   aliases:
#     kube-score: [pod-probes-identical]
#     kyverno: [ensure-probes-different]
#   parameters: {}
#   instead_of: []
package palisade.application.probes_identical

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.values

defaults := {"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}

# A probe with the defaults of the API filled in, without what makes no difference.
filled(probe) := object.remove(
	object.union(defaults, probe),
	["initialDelaySeconds", "terminationGracePeriodSeconds"],
)

violation contains {"msg": msg, "path": path, "related": related} if {
	some container in input.palisade.containers
	liveness := values.map(container.spec, ["livenessProbe"])
	readiness := values.map(container.spec, ["readinessProbe"])
	count(liveness) > 0
	filled(liveness) == filled(readiness)
	path := containers.at(container, ["livenessProbe"])
	place := containers.at(container, ["readinessProbe"])
	related := [{"path": place, "msg": "the readiness probe asks the same"}]
	title := containers.title(container)
	msg := sprintf("%s of %s has one question for liveness and readiness", [title, input.palisade.title])
}
