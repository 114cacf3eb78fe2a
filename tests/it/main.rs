//! The one integration binary.
#![allow(clippy::indexing_slicing, reason = "a test may panic, and JSON reads best by its keys")]

mod canary;
mod checks;
mod cli;
mod conformance;
mod evidence;
mod gates;
mod gitops;
mod house;
mod inputs;
mod mesh;
mod network;
mod oracle;
mod positions;
mod program;
mod reach;
mod rego;
mod roots;
mod samples;
mod secrets;
mod states;
mod structural;
mod support;
mod yaml;
