# METADATA
# title: container runtime's socket is mounted
# description: |-
#   Flags volumes that give a pod the socket of the node's container runtime.
#
#   ## Why it matters
#   Who talks to the runtime starts containers of any kind on the node, privileged ones included, and
#   no admission control of the cluster sees them. The socket is root on the node.
#
#   ## Fix
#   Remove the volume. Images are built without the socket by rootless builders; facts about
#   containers come from the API server or the kubelet.
#
#   ## Known gaps
#   Sockets are known by their names and by the directories of containerd, CRI-O, Docker and Podman. A
#   mount with `readOnly: true` is reported as well: a socket can be written through it.
# related_resources:
#   - https://kubernetes.io/docs/setup/production-environment/container-runtimes/
# custom:
#   severity: critical
#   persona: regular
#   reads: [Pod]
#   fix: remove the volume with the socket of the runtime
#   aliases:
#     kube-linter: [docker-sock]
#     kubescape: [C-0074]
#     trivy: [KSV-0006]
#     checkov: [CKV_K8S_27]
#     kyverno: [disallow-cri-sock-mount]
#   parameters: {}
#   instead_of: [sensitive-host-path, host-path-volume]
package palisade.application.runtime_socket_mounted

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

sockets := {
	"containerd.sock", "cri-dockerd.sock", "crio.sock", "docker.sock", "dockershim.sock", "podman.sock",
}

directories := {
	"/run/containerd", "/run/crio", "/run/docker", "/run/k3s/containerd", "/run/podman",
	"/var/run/containerd", "/var/run/crio", "/var/run/docker", "/var/run/k3s/containerd", "/var/run/podman",
}

of_runtime(path) if values.base(path) in sockets

of_runtime(path) if path in directories

violation contains {"msg": msg, "path": volume.at} if {
	some pod in input.palisade.pods
	some volume in pods.host_paths(pod)
	of_runtime(volume.path)
	msg := sprintf("%s mounts `%s`, the container runtime's socket", [input.palisade.title, volume.path])
}
