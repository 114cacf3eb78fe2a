# METADATA
# title: pod specs as the host lists them
package palisade.lib.pods

import rego.v1

import data.palisade.lib.values

# The place of a field.
at(pod, keys) := array.concat(pod.path, keys)

# The place of a key of the pod's metadata, which stands beside its spec.
metadata_at(pod, keys) := array.concat(parent, array.concat(["metadata"], keys)) if {
	parent := array.slice(pod.path, 0, count(pod.path) - 1)
}

# Kinds whose pods end by themselves, whatever their restart policy says.
batch_kinds := {
	"Job", "CronJob", "Workflow", "CronWorkflow", "WorkflowTemplate", "ClusterWorkflowTemplate",
	"ScaledJob", "Task", "TaskRun", "Pipeline", "PipelineRun",
}

# Whether the pods of an object are meant to run for ever.
long_running(object_kind, pod) if {
	not object_kind in batch_kinds
	values.field(pod.spec, ["restartPolicy"], "Always") == "Always"
}

# Whether the pod says that it runs under Windows.
windows(pod) if pod.spec.os.name == "windows"

# The volumes that are directories or files of the node, with their path in its plain spelling.
host_paths(pod) := [volume |
	some index, entry in values.list(pod.spec, ["volumes"])
	path := values.text(entry, ["hostPath", "path"])
	path != ""
	volume := {
		"name": values.text(entry, ["name"]),
		"path": plain(path),
		"at": at(pod, ["volumes", index, "hostPath"]),
	}
]

# Projected service account tokens, without those that the API server adds to each pod.
tokens(pod) := [token |
	some index, volume in values.list(pod.spec, ["volumes"])
	not startswith(values.text(volume, ["name"]), "kube-api-access-")
	some source, entry in values.list(volume, ["projected", "sources"])
	spec := values.field(entry, ["serviceAccountToken"], null)
	is_object(spec)
	place := ["volumes", index, "projected", "sources", source, "serviceAccountToken"]
	token := {"spec": spec, "at": at(pod, place)}
]

# A path without empty parts, `.` and a slash at its end.
plain(path) := concat("", ["/", concat("/", parts)]) if {
	parts := [part |
		some part in split(path, "/")
		not part in {"", "."}
	]
}

# Whether a plain path is a directory or lies below it.
within(path, directory) if {
	startswith(directory, "/")
	path == plain(directory)
}

within(path, directory) if {
	startswith(directory, "/")
	startswith(path, concat("", [plain(directory), "/"]))
}

within(path, directory) if {
	is_string(path)
	startswith(directory, "/")
	plain(directory) == "/"
}
