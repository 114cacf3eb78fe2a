# METADATA
# title: Job has no deadline
# description: |-
#   Flags Jobs that may run without an end.
#
#   ## Why it matters
#   A Job that hangs, or that was made to compute for somebody else, holds its node until a person stops
#   it. A CronJob starts the next one beside it.
#
#   ## Fix
#   Set `activeDeadlineSeconds` in the Job's `spec`.
#
#   ## Known gaps
#   A deadline of the pod alone counts, although the Job then starts another pod.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: set `activeDeadlineSeconds`
#   aliases:
#     kube-score: [cronjob-has-deadline]
#     kyverno: [restrict-jobs]
#   parameters: {}
#   instead_of: []
package palisade.application.job_without_deadline

import rego.v1

import data.palisade.lib.values

# Where the spec of the Job lies.
places := {"Job": ["spec"], "CronJob": ["spec", "jobTemplate", "spec"]}

place := places[input.palisade.kind] if input.palisade.group == "batch"

not_applicable if not place

limited(spec) if values.number(spec, ["activeDeadlineSeconds"], 0) > 0

limited(spec) if values.number(spec, ["template", "spec", "activeDeadlineSeconds"], 0) > 0

violation contains {"msg": msg, "path": path} if {
	not limited(values.map(input, place))
	path := array.concat(place, ["activeDeadlineSeconds"])
	msg := sprintf("%s has no deadline", [input.palisade.title])
}
