//! The one integration binary.

mod checks;
mod conformance;
mod house;
mod support;
