//! The one integration binary.

mod canary;
mod checks;
mod support;
mod yaml;
