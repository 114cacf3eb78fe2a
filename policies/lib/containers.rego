# METADATA
# title: containers as the host lists them
package palisade.lib.containers

import rego.v1

import data.palisade.lib.values

# How a headline speaks of a container.
title(container) := sprintf("%s `%s`", [noun(container.list), container.name]) if container.name != ""

title(container) := sprintf("unnamed %s", [noun(container.list)]) if container.name == ""

noun(list) := "init container" if list == "initContainers"

noun(list) := "container" if list == "containers"

noun(list) := "ephemeral container" if list == "ephemeralContainers"

# The place of a field.
at(container, keys) := array.concat(container.path, keys)

# Whether it runs beside the others for the whole life of the pod.
long_running(container) if container.list == "containers"

long_running(container) if container.sidecar == true

# Command and arguments, as one list.
command(container) := array.concat(
	values.texts(container.spec, ["command"]),
	values.texts(container.spec, ["args"]),
)
