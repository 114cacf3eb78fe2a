//! `palisade explain`: one check.

use std::io::Write;

use super::{CliError, output};
use crate::catalog::Check;
use crate::config::nearest;
use crate::engine::catalog;
use crate::report::url;

/// Prints the documentation of a check.
pub(super) fn run(slug: &str) -> Result<u8, CliError> {
    let catalog = catalog();
    let Some(check) = catalog.get(slug) else {
        let slugs = catalog.checks().iter().map(|check| check.slug);
        return Err(CliError::BadValue {
            value: crate::document::clean(slug),
            what: "check",
            help: match nearest(slug, slugs) {
                Some(near) => format!("write `{near}`"),
                None => "`palisade checks` lists them all".to_owned(),
            },
        });
    };
    output::write(None, |out| page(check, out))?;
    Ok(0)
}

fn page(check: &Check, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}: {}", check.slug, check.title)?;
    let (layer, severity, persona) = (check.layer, check.severity, check.persona.word());
    writeln!(out, "layer {layer}, severity {severity}, persona {persona}\n")?;
    for line in check.docs.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        writeln!(out, "{}", line.strip_prefix("## ").unwrap_or(line))?;
    }
    if !check.params.is_empty() {
        writeln!(out, "\nParameters (checks.{}.params in palisade.yaml)", check.slug)?;
        for param in check.params {
            writeln!(out, "  {}: {}", param.name, param.doc)?;
        }
    }
    writeln!(out, "\nAllow it")?;
    writeln!(out, "  # palisade: ignore[{}] reason; until=YYYY-MM-DD; owner=team", check.slug)?;
    if !check.aliases.is_empty() {
        writeln!(out, "\nNearest checks of other tools")?;
        for (tool, id) in check.aliases {
            writeln!(out, "  {tool}: {id}")?;
        }
    }
    writeln!(out, "\n{}", url(check.slug))
}
