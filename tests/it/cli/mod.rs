//! The command line: exit codes, usage, outputs, and the pages beside `check`.

mod exit_codes;
mod outputs;
mod pages;
mod usage;
