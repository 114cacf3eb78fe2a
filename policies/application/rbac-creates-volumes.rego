# METADATA
# title: role creates PersistentVolumes
# description: |-
#   Flags ClusterRoles that may create PersistentVolumes.
#
#   ## Why it matters
#   A volume of type `hostPath` is a directory of a node, and a claim brings it into a pod that Pod
#   Security admits. Who may create volumes may read and write the nodes.
#
#   ## Fix
#   Let a provisioner create the volumes.
#
#   ## Known gaps
#   A provisioner needs the right and a waiver. A resource `*` is reported by `rbac-wildcard`. Does not
#   apply to ClusterRoles that collect the rules of others.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#persistent-volume-creation
# custom:
#   severity: medium
#   persona: regular
#   reads: [ClusterRole]
#   fix: let a provisioner create the volumes
#   aliases:
#     kubescape: [C-0278]
#   parameters: {}
#   instead_of: []
package palisade.application.rbac_creates_volumes

import rego.v1

import data.palisade.lib.rbac

not_applicable if rbac.aggregated(input)

kinds := {"": {"persistentvolumes"}}

verbs := {"*", "create"}

violation contains {"msg": msg, "path": grant.path} if {
	not rbac.aggregated(input)
	some grant in rbac.unlimited(input, kinds, verbs)
	msg := rbac.says(input.palisade.title, grant)
}
