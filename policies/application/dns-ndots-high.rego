# METADATA
# title: ndots is higher than wanted
# description: |-
#   Flags pods whose `dnsConfig` asks for more search domains than wanted.
#
#   ## Why it matters
#   Every name with fewer dots is first looked up in each search domain. A higher value multiplies the
#   queries, and a domain of the list that others control may answer them.
#
#   ## Fix
#   Lower the value of `ndots`, or write names with a dot at their end.
#
#   ## Known gaps
#   Only a value that is written counts; what the kubelet or the image sets is not known.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-dns-config
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: lower the value of `ndots`
#   aliases:
#     kube-linter: [dnsconfig-options]
#   parameters:
#     max: {type: number, doc: "highest value of ndots; 5, the kubelet's own, unless set"}
#   instead_of: []
package palisade.application.dns_ndots_high

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

default most := 5

most := data.palisade.params["dns-ndots-high"].max

# The API has a text here.
dots(option) := to_number(value) if {
	value := values.text(option, ["value"])
	regex.match(`^[0-9]{1,3}$`, value)
}

violation contains {"msg": msg, "path": path} if {
	some pod in input.palisade.pods
	some index, option in values.list(pod.spec, ["dnsConfig", "options"])
	values.text(option, ["name"]) == "ndots"
	dots(option) > most
	path := pods.at(pod, ["dnsConfig", "options", index, "value"])
	title := input.palisade.title
	msg := sprintf("%s looks up names with less than %v dots in every domain", [title, dots(option)])
}
