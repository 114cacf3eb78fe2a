# METADATA
# title: volume mounts a sensitive directory of the node
# description: |-
#   Flags volumes that mount a directory of the node from which the node can be taken over.
#
#   ## Why it matters
#   `/etc`, `/proc` or `/var/lib/kubelet` hold the node's passwords, its processes and the tokens of
#   all its pods. Who writes there runs programs as root of the node; who reads there becomes other pods.
#
#   ## Fix
#   Mount the one file or directory that is needed, and mount it with `readOnly: true`.
#
#   ## Known gaps
#   Where every mount of the volume is read-only the finding is high. What lies below such a directory
#   is reported only for those that hold keys and tokens; the rest is left to `host-path-volume`.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
# custom:
#   severity: critical
#   persona: regular
#   reads: [Pod]
#   fix: mount only the file or directory that is needed, read-only
#   aliases:
#     kube-linter: [sensitive-host-mounts]
#     kubescape: [C-0020]
#     trivy: [KSV-0121]
#   parameters:
#     allow: {type: texts, doc: "directories of the node that may be mounted, with what lies below them"}
#   instead_of: [host-path-volume]
package palisade.application.sensitive_host_path

import rego.v1

import data.palisade.lib.pods
import data.palisade.lib.values

# Reported themselves, not what lies below them.
directories := {
	"/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt", "/proc", "/root", "/run", "/sbin",
	"/sys", "/usr", "/usr/bin", "/usr/sbin", "/usr/local", "/usr/local/bin", "/var", "/var/lib", "/var/run",
	"/var/lib/kubelet", "/var/lib/kubelet/pods",
}

# Reported with all that lies below them.
trees := [
	"/etc/cron.d", "/etc/kubernetes", "/etc/ssh", "/etc/sudoers.d", "/etc/systemd", "/proc/1", "/root/.ssh",
	"/var/lib/containerd", "/var/lib/containers", "/var/lib/docker", "/var/lib/etcd", "/var/lib/kubelet/pki",
	"/var/lib/rancher", "/var/spool/cron",
]

default allow := []

allow := data.palisade.params["sensitive-host-path"].allow

sensitive(path) if path in directories

sensitive(path) if {
	some tree in trees
	pods.within(path, tree)
}

allowed(path) if {
	some directory in allow
	pods.within(path, directory)
}

writable(index, volume) if {
	some container in input.palisade.containers
	container.pod == index
	some mount in values.list(container.spec, ["volumeMounts"])
	values.text(mount, ["name"]) == volume.name
	values.field(mount, ["readOnly"], false) != true
}

mounted(index, volume) if {
	some container in input.palisade.containers
	container.pod == index
	some mount in values.list(container.spec, ["volumeMounts"])
	values.text(mount, ["name"]) == volume.name
}

severity(index, volume) := "high" if {
	mounted(index, volume)
	not writable(index, volume)
}

severity(index, volume) := "critical" if not mounted(index, volume)

severity(index, volume) := "critical" if writable(index, volume)

violation contains {"msg": msg, "path": volume.at, "severity": level} if {
	some index, pod in input.palisade.pods
	some volume in pods.host_paths(pod)
	sensitive(volume.path)
	not allowed(volume.path)
	level := severity(index, volume)
	msg := sprintf("%s mounts `%s` of its node", [input.palisade.title, volume.path])
}
