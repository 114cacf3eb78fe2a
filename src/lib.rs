//! Tells whether a Kubernetes platform's zero-trust claims are true in effect.
//!
//! One engine, three adapters; data flows one way:
//!
//! ```text
//!  files, directories, standard input, Markdown, heredocs
//!        │ source      who is asked, and which files make up one root
//!        ▼
//!  text ─► document    span tree, scalar dialect, redaction, repairs, states
//!        ▼
//!      Inventory       all objects of one root, and what is known to be missing from it
//!        ▼
//!      model           what each object means: defaults and versions applied once
//!        ▼
//!      reach           one evaluator: which peers and ports stay open, under which rules
//!        ▼
//!      checks          one file each; they read the model and reach, never YAML
//!        ▼
//!      engine          runs them, waives, builds the defence-in-depth table
//!        ▼
//!      Assessment      findings, passes with evidence, not assessed
//!        │ report      human, table, json, sarif
//!        ▼
//!       cli            arguments in, exit code out
//! ```
//!
//! A module may use what stands above it in this list and nothing below; `tests/it/house.rs` holds
//! the house to that:
//!
//! document, finding, config, model, reach, catalog, checks, rego, engine, source, fixture, report, cli.

pub mod catalog;
pub mod checks;
pub mod cli;
pub mod config;
pub mod document;
pub mod engine;
pub mod finding;
pub mod fixture;
pub mod model;
pub mod reach;
pub mod rego;
pub mod report;
pub mod source;
