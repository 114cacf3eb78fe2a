//! The JSON Schema of palisade.yaml, for editors. A test holds it against what the reader accepts.

use serde_json::{Value, json};

use super::profile::{Cni, Mesh};
use crate::finding::Severity;

/// Builds the schema. `checks` gives the slugs and, for each, the schema of its parameters.
#[must_use]
pub fn json_schema(checks: &[(&str, Value)]) -> Value {
    let severity = json!({"enum": Severity::ALL.map(Severity::word)});
    let of_checks = |with_params: bool| {
        let entry = |(slug, params): &(&str, Value)| {
            let mut properties = json!({"severity": severity, "disable": {"type": "boolean"}});
            if with_params && let Some(map) = properties.as_object_mut() {
                map.insert("params".to_owned(), params.clone());
            }
            let check = json!({
                "type": ["object", "null"], "additionalProperties": false, "properties": properties,
            });
            ((*slug).to_owned(), check)
        };
        let properties: serde_json::Map<String, Value> = checks.iter().map(entry).collect();
        json!({"type": "object", "additionalProperties": false, "properties": properties})
    };
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let text = json!({"type": "string", "minLength": 1});
    let count = json!({"type": "integer", "minimum": 1});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "palisade.yaml",
        "description": "Configuration of palisade.",
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": {
            "exclude": texts,
            "platform": {
                "description": "Declared facts. What is not declared is assumed, and printed.",
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "cni": {"enum": Cni::ALL.map(Cni::word)},
                    "cniVersion": text,
                    "mesh": {"enum": Mesh::ALL.map(Mesh::word)},
                    "rootNamespace": text,
                    "trustDomain": text,
                    "podCIDRs": texts,
                    "kubernetesVersion": {"type": "string", "pattern": "^v?1\\.(0|[1-9][0-9]*)"},
                },
            },
            "checks": of_checks(true),
            "overrides": {"type": "array", "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["paths"],
                "properties": {"paths": texts, "checks": of_checks(false)},
            }},
            "waivers": {"type": "array", "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["check", "reason", "owner", "until"],
                "properties": {
                    "check": text,
                    "match": {
                        "type": "object",
                        "additionalProperties": false,
                        "properties": {"namespace": text, "kind": text, "name": text, "file": text},
                    },
                    "reason": text,
                    "owner": text,
                    "until": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
                    "approver": text,
                    "ticket": text,
                },
            }},
            "limits": {
                "type": "object",
                "additionalProperties": false,
                "properties": {"fileBytes": count, "documents": count, "anchors": count},
            },
        },
    })
}
