//! The JSON Schema of palisade.yaml, for editors. A test holds it against what the reader accepts.
//!
//! What it cannot say, and the reader refuses: globs and ranges of addresses that are none, and a
//! key that is written twice.

use serde_json::{Map, Value, json};

use super::profile::{Cni, Mesh};
use super::{MOST_BYTES, MOST_PARTS};
use crate::finding::Severity;

/// Builds the schema. `checks` gives the slugs and, for each, the schema of its parameters.
#[must_use]
pub fn json_schema(checks: &[(&str, Value)]) -> Value {
    let globs = |least: usize| json!({"type": "array", "items": text(), "minItems": least});
    let slugs: Vec<&str> = checks.iter().map(|(slug, _)| *slug).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "palisade.yaml",
        "description": "Configuration of palisade.",
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": {
            "exclude": or_null(described("Globs of files to leave out.", globs(0))),
            "platform": or_null(platform()),
            "roots": or_null(described(
                "Roots that are named; nothing is discovered inside them.",
                json!({"type": "array", "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["path"],
                    "properties": {
                        "path": text(),
                        "name": or_null(text()),
                        "variables": or_null(json!({
                            "type": "object", "additionalProperties": {"type": "string"},
                        })),
                        "values": or_null(json!({"type": "array", "items": text()})),
                        "set": or_null(json!({"type": "array", "items": text()})),
                    },
                }}),
            )),
            "environments": or_null(described(
                "Values with which charts are rendered, by the environment's name.",
                json!({"type": "object", "additionalProperties": {
                    "type": ["object", "null"],
                    "additionalProperties": false,
                    "properties": all_or_null([
                        ("values", json!({"type": "array", "items": text()})),
                        ("set", json!({"type": "array", "items": text()})),
                    ]),
                }}),
            )),
            "checks": or_null(described("Checks by name.", of_checks(checks, true))),
            "overrides": or_null(described(
                "Other settings for some paths; later ones win.",
                json!({"type": "array", "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["paths"],
                    "properties": {"paths": globs(1), "checks": or_null(of_checks(checks, false))},
                }}),
            )),
            "waivers": or_null(described(
                "Permission to live with findings.",
                json!({"type": "array", "items": waiver(&slugs)}),
            )),
            "limits": or_null(limits()),
        },
    })
}

fn text() -> Value {
    json!({"type": "string", "pattern": "\\S"})
}

fn described(description: &str, mut schema: Value) -> Value {
    if let Some(map) = schema.as_object_mut() {
        map.insert("description".to_owned(), json!(description));
    }
    schema
}

/// A key without a value counts as absent: people leave it behind when they comment values out.
fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn all_or_null<const N: usize>(properties: [(&str, Value); N]) -> Value {
    let nullable = |(name, schema): (&str, Value)| (name.to_owned(), or_null(schema));
    properties.into_iter().map(nullable).collect::<Map<String, Value>>().into()
}

fn of_checks(checks: &[(&str, Value)], with_params: bool) -> Value {
    let severity = json!({"enum": Severity::ALL.map(Severity::word)});
    let entry = |(slug, params): &(&str, Value)| {
        let mut properties =
            all_or_null([("severity", severity.clone()), ("disable", json!({"type": "boolean"}))]);
        if let Some(map) = properties.as_object_mut().filter(|_| with_params) {
            map.insert("params".to_owned(), or_null(params.clone()));
        }
        let check = json!({
            "type": ["object", "null"], "additionalProperties": false, "properties": properties,
        });
        ((*slug).to_owned(), check)
    };
    let properties: Map<String, Value> = checks.iter().map(entry).collect();
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

fn platform() -> Value {
    let version = "^v?1\\.(0|[1-9][0-9]{0,3})(\\.(0|[1-9][0-9]{0,3})([-+].*)?)?$";
    json!({
        "description": "Declared facts. What is not declared is assumed, and printed.",
        "type": "object",
        "additionalProperties": false,
        "properties": all_or_null([
            ("cni", json!({"enum": Cni::ALL.map(Cni::word)})),
            ("cniVersion", text()),
            ("mesh", json!({"enum": Mesh::ALL.map(Mesh::word)})),
            ("rootNamespace", text()),
            ("trustDomain", text()),
            ("podCIDRs", json!({"type": "array", "items": text()})),
            ("kubernetesVersion", json!({"type": "string", "pattern": version})),
        ]),
    })
}

fn waiver(slugs: &[&str]) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["check", "reason", "owner", "until"],
        "properties": {
            "check": {"enum": slugs},
            "match": or_null(json!({
                "type": "object",
                "additionalProperties": false,
                "properties": all_or_null(["namespace", "kind", "name", "file"].map(|k| (k, text()))),
            })),
            "reason": text(),
            "owner": text(),
            "until": {
                "description": "The last valid day (UTC).",
                "type": "string",
                "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
                "format": "date",
            },
            "approver": or_null(text()),
            "ticket": or_null(text()),
        },
    })
}

fn limits() -> Value {
    let upto = |most: u64| json!({"type": "integer", "minimum": 1, "maximum": most});
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": all_or_null([
            ("fileBytes", upto(MOST_BYTES)),
            ("documents", upto(MOST_PARTS)),
            ("anchors", upto(MOST_PARTS)),
        ]),
    })
}
