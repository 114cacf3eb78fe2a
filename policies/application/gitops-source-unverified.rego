# METADATA
# title: source of Flux is not verified
# description: |-
#   Flags sources of Flux whose signatures are not verified.
#
#   ## Why it matters
#   Flux applies what the source holds. Without a signature whoever can push to it, or stand between it and
#   the cluster, decides what runs.
#
#   ## Fix
#   Add `spec.verify` with the keys or identities that may sign.
#
#   ## Known gaps
#   Git and OCI repositories are looked at. Sources of other tools are not.
# related_resources:
#   - https://fluxcd.io/flux/components/source/gitrepositories/#verification
# custom:
#   severity: medium
#   persona: regular
#   reads: [source.toolkit.fluxcd.io/GitRepository, source.toolkit.fluxcd.io/OCIRepository]
#   fix: add `spec.verify` with the keys or identities that may sign
#   aliases:
#     kyverno: [verify-flux-sources, verify-git-repositories]
#   parameters: {}
#   instead_of: []
package palisade.application.gitops_source_unverified

import rego.v1

import data.palisade.lib.values

violation contains {"msg": msg, "path": ["spec", "verify"]} if {
	count(values.map(input, ["spec", "verify"])) == 0
	msg := sprintf("signatures of %s are not verified", [input.palisade.title])
}
