package palisade.lib.containers_test

import rego.v1

import data.palisade.lib.containers

web := {
	"list": "containers",
	"name": "web",
	"path": ["spec", "containers", 0],
	"sidecar": false,
	"spec": {"command": ["run", 1], "args": ["-v"]},
}

test_titles if {
	containers.title(web) == "container `web`"
	containers.title({"list": "initContainers", "name": "wait"}) == "init container `wait`"
	containers.title({"list": "ephemeralContainers", "name": "look"}) == "ephemeral container `look`"
	containers.title({"list": "containers", "name": ""}) == "unnamed container"
}

test_place_of_a_field if containers.at(web, ["tty"]) == ["spec", "containers", 0, "tty"]

test_sidecars_run_for_ever if {
	containers.long_running(web)
	containers.long_running({"list": "initContainers", "sidecar": true})
	not containers.long_running({"list": "initContainers", "sidecar": false})
	not containers.long_running({"list": "ephemeralContainers", "sidecar": false})
}

test_command_and_arguments if {
	containers.command(web) == ["run", "-v"]
	containers.command({"spec": {}}) == []
}
