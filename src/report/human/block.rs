//! One block of the report: headline, snippets with carets, help.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters,
    ThemeStyles,
};

use super::super::Style;
use super::super::layout::{paragraph, wrap};
use super::super::snippet::{Excerpt, Mark};
use crate::document::{File, FileId, Files, Span};
use crate::finding::Severity;

/// What stands before the headline: two blanks, a sign and a blank.
const HEADLINE: usize = 4;

/// Lines from one place to the next that still share a snippet: the context of both touches.
const JOINED: usize = 3;

/// A labelled place.
pub(super) struct Place {
    pub(super) span: Span,
    pub(super) text: String,
}

/// What one block says.
pub(super) struct Block {
    pub(super) slug: String,
    pub(super) url: Option<String>,
    pub(super) severity: Severity,
    pub(super) headline: String,
    pub(super) places: Vec<Place>,
    pub(super) notes: Vec<String>,
    pub(super) help: Option<String>,
}

impl Block {
    /// Order of blocks: by the first place, then by name.
    pub(super) fn order(&self) -> (Option<Span>, String, String) {
        let first = self.places.first().map(|place| place.span);
        (first, self.slug.clone(), self.headline.clone())
    }

    /// Renders the block: the first place, then its file, then others as "seen together with".
    pub(super) fn render(&self, files: &Files, style: Style) -> String {
        self.render_in(&|id| files.get(id), style)
    }

    /// Renders the block with the texts that `file` gives.
    pub(super) fn render_in<'f>(&self, file: &dyn Fn(FileId) -> &'f File, style: Style) -> String {
        let headline = wrap(&self.headline, style.width.saturating_sub(HEADLINE)).join("\n");
        let mut text = String::new();
        let mut shown: Option<FileId> = None;
        for snippet in self.snippets(file) {
            let Some(id) = snippet.first().map(|(_, place)| place.span.file) else { continue };
            let marks: Vec<Mark<'_>> = snippet
                .iter()
                .map(|(n, place)| Mark { span: place.span, text: &place.text, primary: *n == 0 })
                .collect();
            let source = Excerpt::new(file(id), &marks, style.width);
            let first = shown.is_none();
            let headline = if first { headline.clone() } else { String::new() };
            let part = Part { block: self, source, headline, first };
            let mut rendered = String::new();
            // Writing to a string cannot fail.
            let _ = handler(style).render_report(&mut rendered, &part);
            if first {
                text.push_str(&rendered);
            } else {
                if shown != Some(id) {
                    text.push_str("    seen together with\n");
                }
                // The snippet begins with its corner; above it stands the headline, left empty.
                let corner = ThemeCharacters::unicode().ltop;
                for line in rendered.lines().skip_while(|line| !line.contains(corner)) {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            shown = Some(id);
        }
        for note in &self.notes {
            paragraph("  note: ", note, style.width, &mut text);
        }
        self.write_help(style, &mut text);
        let mut trimmed: String = text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
        trimmed.push('\n');
        trimmed
    }

    /// Writes the help. Where it has several entries, what does not fit stands further in.
    fn write_help(&self, style: Style, text: &mut String) {
        let Some(help) = &self.help else { return };
        let inner = if help.contains('\n') { "          " } else { "        " };
        for (i, entry) in help.lines().enumerate() {
            let first = if i == 0 { "  help: " } else { "        " };
            for (j, line) in wrap(entry, style.width.saturating_sub(inner.len())).iter().enumerate()
            {
                text.push_str(if j == 0 { first } else { inner });
                text.push_str(line);
                text.push('\n');
            }
        }
    }

    /// The places that are shown in one snippet each, with their numbers: that of the first place
    /// comes first, the others follow by file, in the order in which the files are named, and line.
    fn snippets<'f>(&self, file: &dyn Fn(FileId) -> &'f File) -> Vec<Vec<(usize, &Place)>> {
        let mut order: Vec<FileId> = Vec::new();
        for place in &self.places {
            if !order.contains(&place.span.file) {
                order.push(place.span.file);
            }
        }
        let mut snippets: Vec<Vec<(usize, &Place)>> = Vec::new();
        for id in order {
            let here = self.places.iter().enumerate().filter(|(_, place)| place.span.file == id);
            let line = |place: &Place| file(id).line_index(place.span.start);
            let mut here: Vec<(usize, &Place)> = here.collect();
            here.sort_by_key(|(n, place)| (line(place), *n));
            let mut of_file: Vec<Vec<(usize, &Place)>> = Vec::new();
            let mut before: Option<usize> = None;
            for (n, place) in here {
                let near = before.is_some_and(|before| line(place) <= before + JOINED);
                before = Some(line(place));
                match of_file.last_mut().filter(|_| near) {
                    Some(snippet) => snippet.push((n, place)),
                    None => of_file.push(vec![(n, place)]),
                }
            }
            // A stable order: only the snippet to change moves up.
            of_file.sort_by_key(|snippet| snippet.iter().all(|(n, _)| *n != 0));
            snippets.append(&mut of_file);
        }
        snippets
    }
}

fn handler(style: Style) -> GraphicalReportHandler {
    let styles = if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let theme = GraphicalTheme { characters: ThemeCharacters::unicode(), styles };
    GraphicalReportHandler::new_themed(theme)
        .with_width(style.width)
        .with_context_lines(1)
        .with_links(style.links)
        .with_wrap_lines(false)
}

/// One file's part of a block, as miette wants it.
struct Part<'b, 'f> {
    block: &'b Block,
    source: Excerpt<'f>,
    headline: String,
    first: bool,
}

impl fmt::Debug for Part<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline)
    }
}

impl fmt::Display for Part<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline)
    }
}

impl std::error::Error for Part<'_, '_> {}

impl Diagnostic for Part<'_, '_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.first.then(|| Box::new(&self.block.slug) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.block.severity {
            Severity::Critical | Severity::High => miette::Severity::Error,
            Severity::Medium => miette::Severity::Warning,
            Severity::Low => miette::Severity::Advice,
        })
    }

    fn url<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let url = self.block.url.as_ref().filter(|_| self.first)?;
        Some(Box::new(url))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.source.labels()))
    }
}
