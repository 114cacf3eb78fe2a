# METADATA
# title: two peers where one was meant
# description: |-
#   Flags rules whose peers are a namespace selector and a pod selector, each for itself.
#
#   ## Why it matters
#   Two entries of the list are two peers: every pod of those namespaces, and the selected pods of the
#   policy's own namespace. Meant are as a rule the selected pods in those namespaces, which takes one
#   entry with both selectors.
#
#   ## Fix
#   Put both selectors into one entry: remove the dash before `podSelector`.
#
#   ## Known gaps
#   Reported only where the two stand one after the other and nothing else is listed. A `podSelector` that
#   is empty is not reported.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors
# custom:
#   severity: medium
#   persona: regular
#   reads: [NetworkPolicy]
#   fix: put both selectors into one entry
#   aliases: {}
#   parameters: {}
#   instead_of: []
package palisade.network.split_peer_selectors

import rego.v1

import data.palisade.lib.values

sides := {"ingress": "from", "egress": "to"}

# The only selector of a peer.
only(peer, selector) if {
	is_object(peer)
	written := [key | some key, value in peer; value != null]
	written == [selector]
}

violation contains {"msg": msg, "path": path, "related": related} if {
	some direction, side in sides
	some index, rule in values.list(input, ["spec", direction])
	peers := values.list(rule, [side])
	count(peers) == 2
	only(peers[0], "namespaceSelector")
	only(peers[1], "podSelector")
	count(values.map(peers[1], ["podSelector"])) > 0
	rule_path := ["spec", direction, index, side]
	path := array.concat(rule_path, [1, "podSelector"])
	namespaces := array.concat(rule_path, [0, "namespaceSelector"])
	related := [{"path": namespaces, "msg": "this is a peer of its own: every pod of these namespaces"}]
	msg := sprintf("%s has two peers where one was meant", [input.palisade.title])
}
