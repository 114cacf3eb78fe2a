# METADATA
# title: ports go past the proxy of Linkerd
# description: |-
#   Flags annotations that take ports out of Linkerd's proxy.
#
#   ## Why it matters
#   Traffic on these ports is plaintext, nobody can tell who sends it, and no policy of Linkerd applies to
#   it.
#
#   ## Fix
#   Declare the ports as opaque (`config.linkerd.io/opaque-ports`), so that they keep mTLS.
#
#   ## Known gaps
#   Whether the pods have a proxy at all is not looked at.
# related_resources:
#   - https://linkerd.io/2/features/protocol-detection/
# custom:
#   severity: medium
#   persona: regular
#   reads: [Pod, Namespace]
#   fix: declare the ports as opaque instead
#   aliases:
#     kyverno: [prevent-linkerd-port-skipping]
#   parameters: {}
#   instead_of: []
package palisade.mesh.linkerd_ports_skipped

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

keys := ["config.linkerd.io/skip-inbound-ports", "config.linkerd.io/skip-outbound-ports"]

violation contains {"msg": msg, "path": path} if {
	some pod in input.palisade.pods
	some key in keys
	ports := values.text(pod, ["annotations", key])
	ports != ""
	path := pods.metadata_at(pod, ["annotations", key])
	msg := sprintf("%s takes the ports %s out of the proxy", [input.palisade.title, ports])
}

violation contains {"msg": msg, "path": ["metadata", "annotations", key]} if {
	input.palisade.kind == "Namespace"
	some key in keys
	ports := values.text(input, ["metadata", "annotations", key])
	ports != ""
	msg := sprintf("%s takes the ports %s out of the proxy", [input.palisade.title, ports])
}
