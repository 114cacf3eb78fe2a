//! A node as JSON, as a client would send it.

use super::Document;
use super::scalar::format_float;
use super::tree::{Node, Value};

/// Appends an object as compact JSON, as a client would send it: an item of a typed list gets the
/// version and kind that the list says for it.
pub fn write_object(document: &Document, out: &mut String) {
    let root = document.root();
    if root.get("kind").is_some() || root.get("apiVersion").is_some() {
        return write_json(root, out);
    }
    let (id, version) = (&document.id, &document.version);
    let api_version = match id.group.as_str() {
        "" => version.clone(),
        group => format!("{group}/{version}"),
    };
    out.push_str("{\"apiVersion\":");
    write_string(&api_version, out);
    out.push_str(",\"kind\":");
    write_string(&id.kind, out);
    for child in root.children() {
        out.push(',');
        write_string(child.key(), out);
        out.push(':');
        write_json(child, out);
    }
    out.push('}');
}

/// Appends a node as compact JSON. What was redacted stands there as `"<redacted>"`.
pub fn write_json(node: Node<'_>, out: &mut String) {
    match node.value() {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Float(value) => out.push_str(&format_float(value)),
        Value::Str(text) => write_string(text, out),
        Value::Redacted(_) => out.push_str("\"<redacted>\""),
        Value::List => {
            out.push('[');
            for (i, item) in node.children().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        Value::Map => {
            out.push('{');
            for (i, child) in node.children().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(child.key(), out);
                out.push(':');
                write_json(child, out);
            }
            out.push('}');
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("a string has a JSON form"));
}
