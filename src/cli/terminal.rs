//! What the terminal can show.

use std::io::IsTerminal;

use super::ColorArg;
use crate::report::Style;

/// Width of a report that goes to no terminal.
const PLAIN_WIDTH: usize = 100;

/// Style of standard output.
pub(super) fn stdout_style(color: ColorArg) -> Style {
    let terminal = std::io::stdout().is_terminal();
    let color = wants_color(color, terminal);
    let width = terminal_size::terminal_size().filter(|_| terminal);
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = columns.or(width.map(|(width, _)| usize::from(width.0)));
    Style { color, links: terminal && color, width: width.unwrap_or(PLAIN_WIDTH).clamp(40, 160) }
}

/// Style of standard error.
pub(super) fn stderr_style() -> Style {
    let color = wants_color(ColorArg::Auto, std::io::stderr().is_terminal());
    Style { color, links: false, width: PLAIN_WIDTH }
}

/// Style of a file: plain text, whatever the terminal can do.
pub(super) fn file_style() -> Style {
    Style { color: false, links: false, width: PLAIN_WIDTH }
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
