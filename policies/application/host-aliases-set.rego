# METADATA
# title: pod overrides names of hosts
# description: |-
#   Flags pods that write names into `/etc/hosts` by `hostAliases`.
#
#   ## Why it matters
#   The names resolve past DNS: whoever edits the manifest sends the program to another server, and rules
#   that allow names of hosts do not see it.
#
#   ## Fix
#   Give the name to DNS, or to a Service of type ExternalName.
#
#   ## Known gaps
#   None known.
# related_resources:
#   - https://kubernetes.io/docs/tasks/network/customize-hosts-file-for-pods/
# custom:
#   severity: low
#   persona: pedantic
#   reads: [Pod]
#   fix: give the names to DNS
#   aliases:
#     trivy: [KSV-0007]
#   parameters: {}
#   instead_of: []
package palisade.application.host_aliases_set

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

violation contains {"msg": msg, "path": path} if {
	some pod in input.palisade.pods
	count(values.list(pod.spec, ["hostAliases"])) > 0
	path := pods.at(pod, ["hostAliases"])
	msg := sprintf("%s overrides names of hosts", [input.palisade.title])
}
