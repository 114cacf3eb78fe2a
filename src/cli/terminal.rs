//! What the terminal can show.

use std::io::IsTerminal;

use terminal_size::{Height, Width};

use super::ColorArg;
use crate::report::Style;

/// Width of a report that goes to no terminal.
const PLAIN_WIDTH: usize = 100;
/// Text in narrower columns cannot be read.
const NARROWEST: usize = 40;
/// Nor in wider ones.
const WIDEST: usize = 160;

/// Style of standard output.
pub(super) fn stdout_style(color: ColorArg) -> Style {
    let terminal = std::io::stdout().is_terminal();
    let color = wants_color(color, terminal);
    let size = terminal_size::terminal_size_of(std::io::stdout()).filter(|_| terminal);
    Style { color, links: terminal && color, width: width(size) }
}

/// Style of standard error.
pub(super) fn stderr_style(color: ColorArg) -> Style {
    let terminal = std::io::stderr().is_terminal();
    let size = terminal_size::terminal_size_of(std::io::stderr()).filter(|_| terminal);
    Style { color: wants_color(color, terminal), links: false, width: width(size) }
}

/// COLUMNS beats the terminal's own size.
fn width(size: Option<(Width, Height)>) -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = columns.filter(|columns| *columns > 0);
    let width = columns.or(size.map(|(Width(width), _)| usize::from(width)));
    width.unwrap_or(PLAIN_WIDTH).clamp(NARROWEST, WIDEST)
}

/// Style of a file: plain text, whatever the terminal can do.
pub(super) fn file_style() -> Style {
    Style { color: false, links: false, width: PLAIN_WIDTH }
}

/// Whether a CI service reads the output and takes some lines for commands.
pub(super) fn in_ci() -> bool {
    ["GITHUB_ACTIONS", "TF_BUILD"]
        .into_iter()
        .any(|name| std::env::var(name).is_ok_and(|value| value.eq_ignore_ascii_case("true")))
}

/// The usual variables: the command line beats them, NO_COLOR beats the others.
fn wants_color(color: ColorArg, terminal: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let on =
        |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    match color {
        ColorArg::Always => true,
        ColorArg::Never => false,
        ColorArg::Auto if set("NO_COLOR") => false,
        ColorArg::Auto if on("FORCE_COLOR") || on("CLICOLOR_FORCE") => true,
        ColorArg::Auto if std::env::var("CLICOLOR").is_ok_and(|value| value == "0") => false,
        ColorArg::Auto => terminal && std::env::var("TERM").map_or(true, |term| term != "dumb"),
    }
}
