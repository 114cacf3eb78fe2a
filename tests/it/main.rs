//! The one integration binary.

mod checks;
mod mesh;
mod support;
