//! `palisade check --explain-roots`: which roots there are, and what belongs to each.

use std::fmt::Write as _;

use super::CliError;
use super::output::{Content, write};
use crate::document::clean;
use crate::report::counted;
use crate::source::Loaded;

/// Most files and members of a root that are listed by name.
const LISTED: usize = 20;

/// Says what the roots are, and gives the exit code.
pub(super) fn explain(loaded: &Loaded, allow_incomplete: bool) -> Result<u8, CliError> {
    let mut text = String::new();
    let mut incomplete = loaded.reports.iter().any(|report| report.state.is_incomplete());
    for (inventory, origin) in loaded.inventories.iter().zip(&loaded.origins) {
        let objects = counted(inventory.documents.len(), "object");
        line(&mut text, &format!("{} ({}): {objects}", inventory.name, inventory.kind.word()));
        list(&mut text, "file", origin.files.iter().map(String::as_str));
        list(&mut text, "applied by", origin.members.iter().map(String::as_str));
        for gap in &inventory.gaps {
            incomplete |= gap.reason.is_incomplete();
            let at = gap.at.map(|at| {
                let file = loaded.files.get(at.file);
                format!(" ({}:{})", file.name(), file.position(at.start).line)
            });
            let (word, at) = (gap.reason.word(), at.unwrap_or_default());
            line(&mut text, &format!("  missing: {}{at}: {word}; {}", gap.what, gap.hint));
        }
    }
    let outside = loaded
        .reports
        .iter()
        .filter(|report| report.reason.as_deref() == Some(crate::source::OUTSIDE));
    let outside: Vec<&str> = outside.map(|report| report.name.as_str()).collect();
    if !outside.is_empty() {
        line(&mut text, "in no root:");
        list(&mut text, "file", outside.into_iter());
    }
    let whole = counted(loaded.inventories.len(), "root");
    let objects: usize = loaded.inventories.iter().map(|i| i.documents.len()).sum();
    line(&mut text, &format!("{whole}, {}", counted(objects, "object")));
    write(None, Content::Text, |out| out.write_all(text.as_bytes()))?;
    Ok(match (incomplete, objects) {
        (true, _) if !allow_incomplete => 4,
        (_, 0) => 3,
        _ => 0,
    })
}

fn line(text: &mut String, line: &str) {
    text.push_str(&clean(line));
    text.push('\n');
}

/// The first names of a list, one a line.
fn list<'n>(text: &mut String, what: &str, names: impl ExactSizeIterator<Item = &'n str>) {
    let all = names.len();
    for name in names.take(LISTED) {
        line(text, &format!("  {what}: {name}"));
    }
    if let Some(more) = all.checked_sub(LISTED).filter(|more| *more > 0) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  and {more} more");
    }
}
