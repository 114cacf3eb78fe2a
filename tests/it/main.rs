//! The one integration binary.

mod checks;
mod conformance;
mod house;
mod samples;
mod support;
