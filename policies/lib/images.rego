# METADATA
# title: image references
package palisade.lib.images

import rego.v1

# A reference in its parts: host, path, tag, digest. A part that is missing is an empty text; the
# host of a short name is that of Docker Hub, as the runtimes read it.
parse(image) := {"host": host(name), "path": path(name), "tag": tag(name), "digest": digest} if {
	is_string(image)
	parts := split(trim_space(image), "@")
	name := parts[0]
	name != ""
	digest := concat("@", array.slice(parts, 1, count(parts)))
}

# The first part is a host where it has a dot or a port, or is `localhost`.
has_host(name) if {
	parts := split(name, "/")
	count(parts) > 1
	first := parts[0]
	host_like(first)
}

host_like(text) if contains(text, ".")

host_like(text) if contains(text, ":")

host_like(text) if text == "localhost"

host(name) := "docker.io" if not has_host(name)

host(name) := canonical(split(name, "/")[0]) if has_host(name)

canonical(text) := "docker.io" if lower(text) in {"index.docker.io", "registry-1.docker.io"}

canonical(text) := lower(text) if not lower(text) in {"index.docker.io", "registry-1.docker.io"}

without_host(name) := name if not has_host(name)

without_host(name) := concat("/", array.slice(parts, 1, count(parts))) if {
	has_host(name)
	parts := split(name, "/")
}

# One word alone is an official image of Docker Hub.
path(name) := concat("", ["library/", bare]) if {
	bare := split(without_host(name), ":")[0]
	host(name) == "docker.io"
	not contains(bare, "/")
}

path(name) := bare if {
	bare := split(without_host(name), ":")[0]
	host(name) != "docker.io"
}

path(name) := bare if {
	bare := split(without_host(name), ":")[0]
	contains(bare, "/")
}

tag(name) := concat(":", array.slice(parts, 1, count(parts))) if {
	parts := split(without_host(name), ":")
}

# Whether a reference lies in a registry: a host, or a host and the beginning of a path.
lies_in(parsed, registry) if {
	is_string(registry)
	entry := trim_suffix(trim_suffix(registry, "*"), "/")
	full := concat("/", [parsed.host, parsed.path])
	covers(full, entry)
}

covers(full, entry) if full == entry

covers(full, entry) if {
	entry != ""
	startswith(full, concat("", [entry, "/"]))
}

# Whether a reference names a digest.
pinned(image) if contains(image, "@")

# Whether the tag of a reference is missing, or one that always means the newest image.
latest(image) if {
	not pinned(image)
	parts := split(image, "/")
	name := parts[count(parts) - 1]
	not contains(name, ":")
}

latest(image) if {
	not pinned(image)
	endswith(image, ":latest")
}
