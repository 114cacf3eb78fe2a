//! The command line: exit codes, usage, configuration, waivers, outputs, and the pages beside
//! `check`.

mod configuration;
mod determinism;
mod exit_codes;
mod formats;
mod gate;
mod json;
mod outputs;
mod pages;
mod reports;
mod sarif;
mod usage;
mod waivers;
