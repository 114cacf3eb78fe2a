//! `palisade checks`: all checks.

use std::io::Write;

use comfy_table::ColumnConstraint;
use serde_json::json;

use super::output::{self, Content};
use super::{CliError, ColorArg, ListFormat, terminal};
use crate::catalog::{Catalog, Check, Run};
use crate::engine::catalog;
use crate::finding::Layer;
use crate::rego::{Engine, Runtime};
use crate::report::plain;

/// Columns from which on no name has to be broken.
const WIDE: usize = 100;

/// Prints the list.
pub(super) fn run(format: ListFormat) -> Result<u8, CliError> {
    let catalog = catalog();
    let content = match format {
        ListFormat::Table | ListFormat::Markdown => Content::Text,
        ListFormat::Json => Content::Data,
    };
    output::write(None, content, |out| match format {
        ListFormat::Table => table(&catalog, out),
        ListFormat::Json => json(&catalog, out),
        ListFormat::Markdown => out.write_all(markdown(&catalog).as_bytes()),
    })?;
    Ok(0)
}

fn table(catalog: &Catalog, out: &mut dyn Write) -> std::io::Result<()> {
    let width = terminal::stdout_style(ColorArg::Auto).width;
    let mut table = plain(u16::try_from(width).unwrap_or(u16::MAX));
    let runtime = Runtime::default();
    table.set_header(["check", "layer", "severity", "persona", "engine", "defect"]);
    for check in catalog.checks() {
        let (layer, severity) = (check.layer.word(), check.severity.word());
        table.add_row([
            check.slug,
            layer,
            severity,
            check.persona.word(),
            engine(check, &runtime),
            check.title,
        ]);
    }
    if width >= WIDE {
        // Names stay whole; the last column takes what is left.
        for column in table.column_iter_mut().take(5) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    writeln!(out, "{table}")?;
    writeln!(out, "{} checks; `palisade explain CHECK` tells more", catalog.checks().len())
}

fn json(catalog: &Catalog, out: &mut dyn Write) -> std::io::Result<()> {
    let runtime = Runtime::default();
    let of_check = |check: &&'static Check| {
        json!({
            "check": check.slug,
            "title": check.title,
            "layer": check.layer.word(),
            "severity": check.severity.word(),
            "persona": check.persona.word(),
            "engine": engine(check, &runtime),
            "fix": check.fix,
            "params": check.params.iter().map(|param| param.name).collect::<Vec<_>>(),
            "aliases": check.aliases,
        })
    };
    let list: Vec<_> = catalog.checks().iter().map(of_check).collect();
    serde_json::to_writer_pretty(&mut *out, &list)?;
    writeln!(out)
}

/// What a check runs on.
fn engine(check: &Check, runtime: &Runtime) -> &'static str {
    match (check.run, runtime.runs_on(check.slug)) {
        (Run::Rust(_), _) => "rust",
        (Run::Rego, Ok(Engine::Interpreter)) => "rego, interpreter",
        (Run::Rego, Ok(_)) => "rego, rvm",
        (Run::Rego, Err(_)) => "rego, cannot run",
    }
}

/// docs/checks.md.
pub(super) fn markdown(catalog: &Catalog) -> String {
    let mut text = String::from(
        "# Checks\n\nMade from the checks themselves by `palisade checks --format markdown`. \
         Each is allowed by a waiver: a comment `# palisade: ignore[<check>] reason` on the line \
         or above it, an annotation, or an entry in palisade.yaml.\n",
    );
    for layer in Layer::ALL {
        text.push_str(&format!("\n## {}\n", title(layer.word())));
        let checks = catalog.checks().iter().filter(|check| check.layer == layer);
        for check in checks {
            text.push_str(&format!("\n### {}\n\n", check.slug));
            let (severity, persona) = (check.severity, check.persona.word());
            text.push_str(&format!(
                "{}: severity {severity}, persona {persona}.\n\n",
                title(check.title)
            ));
            for line in check.docs.lines() {
                let line = line.strip_prefix(' ').unwrap_or(line);
                match line.strip_prefix("## ") {
                    Some(heading) => text.push_str(&format!("**{heading}**\n")),
                    None => text.push_str(&format!("{line}\n")),
                }
            }
            for param in check.params {
                text.push_str(&format!("\n- `params.{}`: {}\n", param.name, param.doc));
            }
            if !check.aliases.is_empty() {
                let list: Vec<String> =
                    check.aliases.iter().map(|(tool, id)| format!("{tool} {id}")).collect();
                text.push_str(&format!("\nElsewhere: {}.\n", list.join(", ")));
            }
        }
    }
    text
}

fn title(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
