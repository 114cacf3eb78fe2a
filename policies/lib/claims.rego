# METADATA
# title: volume claims
package palisade.lib.claims

import rego.v1

import data.palisade.lib.values

# The specs of an object that is a claim, or that carries templates of claims, with their places.
of(object) := array.concat(own, templates) if {
	own := [{"path": ["spec"], "spec": values.map(object, ["spec"])} |
		object.kind == "PersistentVolumeClaim"
	]
	templates := [{"path": ["spec", "volumeClaimTemplates", index, "spec"], "spec": spec} |
		some index, template in values.list(object, ["spec", "volumeClaimTemplates"])
		spec := values.map(template, ["spec"])
	]
}
