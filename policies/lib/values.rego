# METADATA
# title: reading what users wrote
# description: |-
#   A field may be missing, null or of another type than its schema says. What is asked for through
#   these functions is there, and has the type that is asked for.
package palisade.lib.values

import rego.v1

# A field, or another value where it is missing or null.
field(node, keys, otherwise) := value if {
	is_object(node)
	value := object.get(node, keys, null)
	value != null
} else := otherwise

# A field that is a list, else an empty list.
list(node, keys) := value if {
	is_object(node)
	value := object.get(node, keys, null)
	is_array(value)
} else := []

# A field that is a map, else an empty map.
map(node, keys) := value if {
	is_object(node)
	value := object.get(node, keys, null)
	is_object(value)
} else := {}

# A field that is a text, else an empty text.
text(node, keys) := value if {
	is_object(node)
	value := object.get(node, keys, null)
	is_string(value)
} else := ""

# A field that is a number, else another one.
number(node, keys, otherwise) := value if {
	is_object(node)
	value := object.get(node, keys, null)
	is_number(value)
} else := otherwise

# The texts of a field that is a list.
texts(node, keys) := [value |
	some value in list(node, keys)
	is_string(value)
]

# Last part of a path.
base(path) := parts[count(parts) - 1] if {
	parts := split(path, "/")
}
