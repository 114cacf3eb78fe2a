//! The one integration binary.

mod checks;
mod oracle;
mod support;
mod yaml;
