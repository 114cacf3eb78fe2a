//! `palisade explain`: one check.

use super::output::{self, Content};
use super::{CliError, ColorArg, terminal};
use crate::catalog::Check;
use crate::config::nearest;
use crate::engine::catalog;
use crate::report::{paragraph, url};

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
    let text = page(check, terminal::stdout_style(ColorArg::Auto).width);
    output::write(None, Content::Text, |out| out.write_all(text.as_bytes()))?;
    Ok(0)
}

fn page(check: &Check, width: usize) -> String {
    let mut text = String::new();
    paragraph("", &format!("{}: {}", check.slug, check.title), width, &mut text);
    let (layer, severity, persona) = (check.layer, check.severity, check.persona.word());
    let about = format!("layer {layer}, severity {severity}, persona {persona}");
    paragraph("", &about, width, &mut text);
    text.push('\n');
    docs(check.docs, width, &mut text);
    if !check.params.is_empty() {
        text.push('\n');
        let title = format!("Parameters (checks.{}.params in palisade.yaml)", check.slug);
        paragraph("", &title, width, &mut text);
        for param in check.params {
            paragraph("  ", &format!("{}: {}", param.name, param.doc), width, &mut text);
        }
    }
    text.push_str("\nAllow it\n");
    let slug = check.slug;
    text.push_str(&format!("  # palisade: ignore[{slug}] reason; until=YYYY-MM-DD; owner=team\n"));
    if !check.aliases.is_empty() {
        text.push_str("\nNearest checks of other tools\n");
        for (tool, id) in check.aliases {
            paragraph("  ", &format!("{tool}: {id}"), width, &mut text);
        }
    }
    text.push_str(&format!("\n{}\n", url(check.slug)));
    text
}

/// Documentation, its paragraphs filled; headings, lists and indented lines stay as they are.
fn docs(docs: &str, width: usize, text: &mut String) {
    let mut open = String::new();
    for line in docs.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        let plain = !(line.is_empty() || line.starts_with([' ', '-', '#', '|', '`', '*']));
        if plain || line.starts_with('`') && !line.starts_with("```") {
            open.push(' ');
            open.push_str(line);
            continue;
        }
        if !open.is_empty() {
            paragraph("", &std::mem::take(&mut open), width, text);
        }
        text.push_str(line.strip_prefix("## ").unwrap_or(line));
        text.push('\n');
    }
    if !open.is_empty() {
        paragraph("", &open, width, text);
    }
}
