# METADATA
# title: Ingress class is not on the list
# description: |-
#   Flags Ingresses of a class that is not on the list.
#
#   ## Why it matters
#   The class decides which controller publishes the Ingress: the one for the internet, with its firewall
#   and its logs, or another one that somebody installed.
#
#   ## Fix
#   Use a class of the list, or put this one on it.
#
#   ## Known gaps
#   Speaks only where palisade.yaml has the list. An Ingress without a class gets the default one and is not
#   reported.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class
# custom:
#   severity: low
#   persona: auditor
#   reads: [Ingress]
#   fix: use an Ingress class of the list
#   aliases:
#     kyverno: [restrict-ingress-classes]
#   parameters:
#     classes: {type: texts, doc: "Ingress classes that may be used"}
#   instead_of: []
package palisade.gateway.ingress_class_not_allowed

import rego.v1

import data.palisade.lib.values

default classes := []

classes := data.palisade.params["ingress-class-not-allowed"].classes

not_applicable if count(classes) == 0

# The annotation is older than the field.
places := [["spec", "ingressClassName"], ["metadata", "annotations", "kubernetes.io/ingress.class"]]

violation contains {"msg": msg, "path": place} if {
	count(classes) > 0
	some place in places
	class := values.text(input, place)
	class != ""
	not class in classes
	msg := sprintf("%s has the class `%s`, which is not on the list", [input.palisade.title, class])
}
