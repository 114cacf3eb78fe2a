package palisade.lib.values_test

import rego.v1

import data.palisade.lib.values

node := {"a": {"b": 1, "t": "x"}, "n": null, "l": ["x", 1, null], "m": {"k": "v"}}

test_what_is_missing_or_null_is_the_other_value if {
	values.field(node, ["a", "b"], 7) == 1
	values.field(node, ["a", "c"], 7) == 7
	values.field(node, ["n"], 7) == 7
	values.field(node, ["l", "b"], 7) == 7
	values.field(null, ["a"], 7) == 7
	values.field("text", ["a"], 7) == 7
}

test_lists if {
	values.list(node, ["l"]) == ["x", 1, null]
	values.list(node, ["n"]) == []
	values.list(node, ["a"]) == []
	values.texts(node, ["l"]) == ["x"]
	values.texts(node, ["a", "t"]) == []
}

test_maps if {
	values.map(node, ["m"]) == {"k": "v"}
	values.map(node, ["n"]) == {}
	values.map(node, ["l"]) == {}
}

test_texts_and_numbers if {
	values.text(node, ["a", "t"]) == "x"
	values.text(node, ["a", "b"]) == ""
	values.number(node, ["a", "b"], 0) == 1
	values.number(node, ["a", "t"], 5) == 5
}

test_last_part_of_a_path if {
	values.base("/usr/bin/sudo") == "sudo"
	values.base("sudo") == "sudo"
}
