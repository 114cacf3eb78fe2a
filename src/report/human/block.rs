//! One block of the report: headline, snippets with carets, help.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters,
    ThemeStyles,
};

use super::super::Style;
use super::super::snippet::Snippet;
use crate::document::{File, FileId, Files, Span};
use crate::finding::Severity;

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

    /// Renders the block: the file of the first place, then the other files as "seen together with".
    pub(super) fn render(&self, files: &Files, style: Style) -> String {
        self.render_in(&|id| files.get(id), style)
    }

    /// Renders the block with the texts that `file` gives.
    pub(super) fn render_in<'f>(&self, file: &dyn Fn(FileId) -> &'f File, style: Style) -> String {
        let mut order: Vec<FileId> = Vec::new();
        for place in &self.places {
            if !order.contains(&place.span.file) {
                order.push(place.span.file);
            }
        }
        let mut text = String::new();
        for (i, id) in order.iter().enumerate() {
            let part = Part { block: self, source: Snippet(file(*id)), file: *id, first: i == 0 };
            let mut rendered = String::new();
            // Writing to a string cannot fail.
            let _ = handler(style).render_report(&mut rendered, &part);
            if i == 0 {
                text.push_str(rendered.trim_end());
            } else {
                text.push_str("\n    seen together with\n");
                let snippet =
                    rendered.lines().skip_while(|line| !line.contains("[") || line.contains("×"));
                for line in snippet {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            text = text.trim_end().to_owned();
            text.push('\n');
        }
        for note in &self.notes {
            text.push_str("  note: ");
            text.push_str(note);
            text.push('\n');
        }
        if let Some(help) = &self.help {
            let mut lines = help.lines();
            text.push_str("  help: ");
            text.push_str(lines.next().unwrap_or_default());
            text.push('\n');
            for line in lines {
                text.push_str("        ");
                text.push_str(line);
                text.push('\n');
            }
        }
        text.push('\n');
        text
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
    source: Snippet<'f>,
    file: FileId,
    first: bool,
}

impl fmt::Debug for Part<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.block.headline)
    }
}

impl fmt::Display for Part<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.block.headline)
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
        let here = self.block.places.iter().filter(|place| place.span.file == self.file);
        let label = |(i, place): (usize, &Place)| {
            let (start, end) = self.visible(place.span);
            let text = Some(place.text.clone());
            let range = (start as usize, end.saturating_sub(start) as usize);
            if i == 0 && self.first {
                LabeledSpan::new_primary_with_span(text, range)
            } else {
                LabeledSpan::new_with_span(text, range)
            }
        };
        Some(Box::new(here.enumerate().map(label)))
    }
}

impl Part<'_, '_> {
    /// A place of several lines is shown by its first one.
    fn visible(&self, span: Span) -> (u32, u32) {
        let file = self.source.0;
        let (_, line_end) = file.line_range(file.line_index(span.start));
        let end = span.end.min(line_end.max(span.start));
        (span.start, end.max(span.start))
    }
}
