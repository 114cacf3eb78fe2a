package palisade.lib.pods_test

import rego.v1

import data.palisade.lib.pods

pod := {"path": ["spec", "template", "spec"], "spec": {
	"os": {"name": "windows"},
	"volumes": [
		{"name": "tmp", "emptyDir": {}},
		{"name": "log", "hostPath": {"path": "/var//log/./"}},
		{"name": "none", "hostPath": null},
	],
}}

test_places if {
	pods.at(pod, ["os"]) == ["spec", "template", "spec", "os"]
	pods.metadata_at(pod, ["labels"]) == ["spec", "template", "metadata", "labels"]
	pods.metadata_at({"path": ["spec"]}, ["labels"]) == ["metadata", "labels"]
}

test_pods_that_end if {
	pods.long_running("Deployment", pod)
	pods.long_running("Engine", pod)
	not pods.long_running("CronJob", pod)
	not pods.long_running("Pod", {"spec": {"restartPolicy": "OnFailure"}})
}

test_windows if {
	pods.windows(pod)
	not pods.windows({"spec": {"os": {"name": "linux"}}})
	not pods.windows({"spec": {}})
}

test_host_paths if {
	found := pods.host_paths(pod)
	count(found) == 1
	found[0].path == "/var/log"
	found[0].name == "log"
	found[0].at == ["spec", "template", "spec", "volumes", 1, "hostPath"]
}

test_directories if {
	pods.within("/var/log", "/var/log/")
	pods.within("/var/log/pods", "/var/log")
	pods.within("/etc", "/")
	not pods.within("/var/logs", "/var/log")
	not pods.within("/var", "/var/log")
	not pods.within("/etc", "")
	not pods.within("/etc", "etc")
}

test_tokens if {
	token := {"projected": {"sources": [{"configMap": {}}, {"serviceAccountToken": {"audience": "a"}}]}}
	own := object.union(token, {"name": "own"})
	added := object.union(token, {"name": "kube-api-access-x"})
	found := pods.tokens({"path": ["spec"], "spec": {"volumes": [added, own]}})
	place := ["spec", "volumes", 1, "projected", "sources", 1, "serviceAccountToken"]
	found == [{"spec": {"audience": "a"}, "at": place}]
}
