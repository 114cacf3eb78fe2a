# METADATA
# title: host has no certificate
# description: |-
#   Flags hosts of Ingress rules that no entry under `spec.tls` names.
#
#   ## Why it matters
#   For such a host the controller serves its default certificate, which no client trusts, or plain HTTP.
#   People get used to clicking the warning away.
#
#   ## Fix
#   Add the host to an entry under `spec.tls`.
#
#   ## Known gaps
#   An entry without hosts is taken for one of all hosts. Names that the certificate really holds are not
#   known. An Ingress without any TLS is reported by `ingress-without-tls`.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
# custom:
#   severity: medium
#   persona: regular
#   reads: [Ingress]
#   fix: add the host to an entry under `spec.tls`
#   aliases:
#     kyverno: [ingress-host-match-tls]
#   parameters: {}
#   instead_of: []
package palisade.gateway.tls_host_not_covered

import rego.v1

import data.palisade.lib.values

entries := values.list(input, ["spec", "tls"])

not_applicable if count(entries) == 0

# A wildcard stands for one label.
covered(host) if {
	some entry in entries
	some name in values.texts(entry, ["hosts"])
	lower(name) == lower(host)
}

covered(host) if {
	some entry in entries
	some name in values.texts(entry, ["hosts"])
	startswith(name, "*.")
	labels := split(lower(host), ".")
	concat(".", array.slice(labels, 1, count(labels))) == lower(trim_prefix(name, "*."))
}

covered(host) if {
	is_string(host)
	some entry in entries
	count(values.list(entry, ["hosts"])) == 0
}

violation contains {"msg": msg, "path": ["spec", "rules", index, "host"]} if {
	count(entries) > 0
	some index, rule in values.list(input, ["spec", "rules"])
	host := values.text(rule, ["host"])
	host != ""
	not covered(host)
	msg := sprintf("%s has no certificate for `%s`", [input.palisade.title, host])
}
