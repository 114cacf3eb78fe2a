//! palisade
pub mod catalog;
pub mod checks;
pub mod cli;
pub mod config;
pub mod document;
pub mod engine;
pub mod finding;
pub mod model;
pub mod reach;
pub mod report;
pub mod source;
