//! palisade
pub mod config;
pub mod document;
pub mod finding;
pub mod model;
pub mod reach;
