# METADATA
# title: ExternalName points inside
# description: |-
#   Flags Services of type ExternalName whose name is one of the cluster or of the node.
#
#   ## Why it matters
#   An Ingress or a Gateway that forwards to the Service reaches what the name stands for: another tenant's
#   Service, the API server, the metadata of the cloud. Rules about namespaces do not see it.
#
#   ## Fix
#   Reach Services of the cluster by their own name, and let a ReferenceGrant admit it.
#
#   ## Known gaps
#   A public name may resolve to an internal address as well.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/#externalname
# custom:
#   severity: medium
#   persona: regular
#   reads: [Service]
#   fix: reach Services of the cluster by their own name
#   aliases:
#     trivy: [KSV-0108]
#   parameters: {}
#   instead_of: []
package palisade.gateway.external_name_to_internal

import rego.v1

import data.palisade.lib.values

suffixes := [".svc", ".local", ".internal", ".localdomain"]

inside(name) if {
	some suffix in suffixes
	endswith(name, suffix)
}

inside(name) if contains(name, ".svc.")

inside(name) if name == "localhost"

# An address, although DNS does not know such names.
inside(name) if regex.match(`^(127|10|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01]))\.[0-9.]+$`, name)

violation contains {"msg": msg, "path": ["spec", "externalName"]} if {
	values.text(input, ["spec", "type"]) == "ExternalName"
	name := trim_suffix(lower(values.text(input, ["spec", "externalName"])), ".")
	inside(name)
	msg := sprintf("%s points to `%s`, which lies inside", [input.palisade.title, name])
}
