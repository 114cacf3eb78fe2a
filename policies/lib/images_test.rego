package palisade.lib.images_test

import rego.v1

import data.palisade.lib.images

test_short_names_are_of_docker_hub if {
	images.parse("nginx") == {"host": "docker.io", "path": "library/nginx", "tag": "", "digest": ""}
	images.parse("grafana/loki:3") == {"host": "docker.io", "path": "grafana/loki", "tag": "3", "digest": ""}
	images.parse("index.docker.io/library/nginx:1").host == "docker.io"
}

test_hosts if {
	images.parse("localhost/app").host == "localhost"
	images.parse("registry:5000/app").host == "registry:5000"
	images.parse("GHCR.io/team/app:1.2").host == "ghcr.io"
	images.parse("ghcr.io/team/app:1.2").path == "team/app"
}

test_a_port_is_no_tag if {
	images.parse("registry:5000/app").tag == ""
	images.parse("registry:5000/app:2").tag == "2"
}

test_digests if {
	images.parse("app@sha256:00").digest == "sha256:00"
	images.parse("app:1@sha256:00").tag == "1"
}

test_what_is_no_reference if {
	not images.parse("")
	not images.parse(null)
	not images.parse(7)
}

test_registries if {
	app := images.parse("ghcr.io/team/app:1")
	images.lies_in(app, "ghcr.io")
	images.lies_in(app, "ghcr.io/team/")
	images.lies_in(app, "ghcr.io/team/*")
	images.lies_in(app, "ghcr.io/team/app")
	not images.lies_in(app, "ghcr.io/tea")
	not images.lies_in(app, "hcr.io")
	not images.lies_in(app, "")
	not images.lies_in(app, null)
}

test_latest if {
	images.latest("app")
	images.latest("app:latest")
	images.latest("registry:5000/app")
	not images.latest("registry:5000/app:1")
	not images.latest("app:latest@sha256:00")
}

test_pinned if {
	images.pinned("app@sha256:00")
	not images.pinned("app:1")
}
