//! The one integration binary.
#![allow(clippy::indexing_slicing, reason = "a test may panic, and JSON reads best by its keys")]

mod checks;
mod conformance;
mod house;
mod samples;
mod oracle;
mod support;
mod yaml;
