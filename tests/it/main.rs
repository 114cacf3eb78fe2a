//! The one integration binary.

mod checks;
mod support;
mod yaml;
