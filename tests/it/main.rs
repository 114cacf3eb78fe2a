//! The one integration binary.
#![allow(clippy::indexing_slicing, reason = "a test may panic, and JSON reads best by its keys")]

mod canary;
mod checks;
mod cli;
mod conformance;
mod house;
mod inputs;
mod mesh;
mod oracle;
mod positions;
mod program;
mod samples;
mod states;
mod support;
mod yaml;
