//! The one integration binary.

mod checks;
mod cli;
mod conformance;
mod house;
mod program;
mod support;
