# METADATA
# title: finished Job stays for ever
# description: |-
#   Flags Jobs that are kept after they have finished.
#
#   ## Why it matters
#   Each one keeps its pods, its logs and what they say about the system, and it uses up the quota of
#   the namespace. Hundreds of them slow down the API server.
#
#   ## Fix
#   Set `ttlSecondsAfterFinished`.
#
#   ## Known gaps
#   Jobs that a CronJob or another object owns, and hooks that Helm deletes, are left out.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: set `ttlSecondsAfterFinished`
#   aliases:
#     kube-linter: [job-ttl-seconds-after-finished]
#     kyverno: [restrict-jobs]
#   parameters: {}
#   instead_of: []
package palisade.application.job_without_ttl

import rego.v1

import data.palisade.lib.values

own_job if {
	[input.palisade.group, input.palisade.kind] == ["batch", "Job"]
	count(values.list(input, ["metadata", "ownerReferences"])) == 0
	values.text(input, ["metadata", "annotations", "helm.sh/hook-delete-policy"]) == ""
}

not_applicable if not own_job

violation contains {"msg": msg, "path": ["spec", "ttlSecondsAfterFinished"]} if {
	own_job
	values.number(input, ["spec", "ttlSecondsAfterFinished"], -1) < 0
	msg := sprintf("%s stays for ever after it has finished", [input.palisade.title])
}
