# METADATA
# title: directory of the node is mounted writable
# description: |-
#   Flags mounts of a directory of the node that the container may write to.
#
#   ## Why it matters
#   What is written there stays on the node after the pod is gone, and other programs of the node read
#   it. A changed script or library there is run by somebody with more rights.
#
#   ## Fix
#   Set `readOnly: true` on the mount, or use a volume that is not part of the node.
#
#   ## Known gaps
#   `readOnly` does not cover file systems that are mounted below the directory, unless
#   `recursiveReadOnly` is set. A volume that no container mounts is not reported.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/volumes/#read-only-mounts
# custom:
#   severity: high
#   persona: regular
#   reads: [Pod]
#   fix: set `readOnly` of the mount to `true`
#   aliases:
#     kube-linter: [writable-host-mount]
#     kubescape: [C-0045]
#     kyverno: [ensure-readonly-hostpath]
#   parameters:
#     allow: {type: texts, doc: "directories of the node that may be written, with what lies below them"}
#   instead_of: []
package palisade.application.writable_host_path

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.pods
import data.palisade.lib.values

default allow := []

allow := data.palisade.params["writable-host-path"].allow

allowed(path) if {
	some directory in allow
	pods.within(path, directory)
}

violation contains {"msg": msg, "path": path, "related": related} if {
	some container in input.palisade.containers
	some index, mount in values.list(container.spec, ["volumeMounts"])
	values.field(mount, ["readOnly"], false) != true
	some volume in pods.host_paths(input.palisade.pods[container.pod])
	volume.name == values.text(mount, ["name"])
	not allowed(volume.path)
	path := containers.at(container, ["volumeMounts", index, "readOnly"])
	related := [{"path": volume.at, "msg": "this is a directory of the node"}]
	title := containers.title(container)
	msg := sprintf("%s of %s can write to `%s` of its node", [title, input.palisade.title, volume.path])
}
