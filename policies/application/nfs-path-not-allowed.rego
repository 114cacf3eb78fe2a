# METADATA
# title: NFS export is not on the list
# description: |-
#   Flags volumes that mount an NFS export that is not on the list.
#
#   ## Why it matters
#   NFS trusts the user id that the client names. A pod that mounts an export of somebody else reads and
#   writes it as whatever user it chooses.
#
#   ## Fix
#   Use an export of the list, or put this one on it.
#
#   ## Known gaps
#   Speaks only where palisade.yaml has the list. Provisioners that mount NFS themselves are not seen.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/volumes/#nfs
# custom:
#   severity: low
#   persona: auditor
#   reads: [Pod, /PersistentVolume]
#   fix: use an export of the list
#   aliases: {}
#   parameters:
#     exports: {type: texts, doc: "exports that may be mounted, `server:/path`, with what lies below them"}
#   instead_of: []
package palisade.application.nfs_path_not_allowed

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

default exports := []

exports := data.palisade.params["nfs-path-not-allowed"].exports

not_applicable if count(exports) == 0

allowed(server, path) if {
	some export in exports
	parts := split(export, ":")
	parts[0] == server
	pods.within(pods.plain(path), parts[1])
}

mounts contains {"path": path, "spec": spec} if {
	some pod in input.palisade.pods
	some index, volume in values.list(pod.spec, ["volumes"])
	spec := values.map(volume, ["nfs"])
	path := pods.at(pod, ["volumes", index, "nfs", "path"])
}

mounts contains {"path": ["spec", "nfs", "path"], "spec": spec} if {
	input.palisade.kind == "PersistentVolume"
	spec := values.map(input, ["spec", "nfs"])
}

violation contains {"msg": msg, "path": mount.path} if {
	count(exports) > 0
	some mount in mounts
	server := values.text(mount.spec, ["server"])
	server != ""
	path := values.text(mount.spec, ["path"])
	not allowed(server, path)
	msg := sprintf("%s mounts `%s:%s`, which is not on the list", [input.palisade.title, server, path])
}
