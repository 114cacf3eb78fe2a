# METADATA
# title: cloud credentials of the node are mounted
# description: |-
#   Flags volumes that mount files of the node in which clouds keep their credentials.
#
#   ## Why it matters
#   With the credentials of the node, or of the person who set it up, the pod acts in the cloud outside of
#   the cluster: disks, other nodes, other clusters.
#
#   ## Fix
#   Remove the volume, and give the service account an identity of the cloud.
#
#   ## Known gaps
#   The files are known by the names that the tools of AWS, Azure and Google Cloud give them.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
# custom:
#   severity: high
#   persona: regular
#   reads: [Pod]
#   fix: remove the volume, and give the service account an identity of the cloud
#   aliases:
#     kubescape: [C-0020, C-0052]
#   parameters: {}
#   instead_of: [sensitive-host-path, host-path-volume]
package palisade.application.cloud_credentials_path_mounted

import rego.v1

import data.palisade.lib.pods

directories := `(^|/)(\.aws|\.azure|\.config/gcloud|\.kube)(/|$)`

files := `^/etc/kubernetes/(azure\.json|cloud-config|cloud\.conf)$`

with_credentials(path) if regex.match(directories, path)

with_credentials(path) if regex.match(files, path)

violation contains {"msg": msg, "path": volume.at} if {
	some pod in input.palisade.pods
	some volume in pods.host_paths(pod)
	with_credentials(volume.path)
	msg := sprintf("%s mounts cloud credentials from `%s`", [input.palisade.title, volume.path])
}
