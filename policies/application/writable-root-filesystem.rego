# METADATA
# title: root file system is writable
# description: |-
#   Flags containers whose root file system can be written.
#
#   ## Why it matters
#   Whoever gets to run code in the container can replace its programs and leave tools there. On a
#   read-only file system there is no place for either.
#
#   ## Fix
#   Set `readOnlyRootFilesystem: true`, and mount an `emptyDir` where the program writes.
#
#   ## Known gaps
#   Pods that say that they run under Windows are left out: the field does nothing there.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   severity: medium
#   persona: regular
#   reads: [Pod]
#   fix: set `readOnlyRootFilesystem` to `true`
#   aliases:
#     kube-linter: [no-read-only-root-fs]
#     kube-score: [container-security-context-readonlyrootfilesystem]
#     polaris: [notReadOnlyRootFilesystem]
#     kubescape: [C-0017]
#     trivy: [KSV-0014]
#     checkov: [CKV_K8S_22]
#     gatekeeper: [read-only-root-filesystem]
#     kyverno: [require-ro-rootfs]
#   parameters: {}
#   instead_of: []
package palisade.application.writable_root_filesystem

import rego.v1

import data.palisade.lib.containers
import data.palisade.lib.pods

violation contains {"msg": msg, "path": path} if {
	some container in input.palisade.containers
	not container.spec.securityContext.readOnlyRootFilesystem == true
	not pods.windows(input.palisade.pods[container.pod])
	path := containers.at(container, ["securityContext", "readOnlyRootFilesystem"])
	title := containers.title(container)
	msg := sprintf("%s of %s can write to its root file system", [title, input.palisade.title])
}
