//! Source text for miette: only the lines around a place are looked at, whatever the file's size.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::document::File;

/// A file as source of snippets.
#[derive(Debug)]
pub(super) struct Snippet<'f>(pub(super) &'f File);

impl SourceCode for Snippet<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let file = self.0;
        let length = file.text().len();
        let offset = |at: usize| u32::try_from(at.min(length)).unwrap_or(u32::MAX);
        let (start, end) = (offset(span.offset()), offset(span.offset() + span.len()));
        let first = file.line_index(start).saturating_sub(before);
        let last = file.line_index(end) + after;
        let (from, _) = file.line_range(first);
        let (_, to) = file.line_range(last);
        let data = file.text().as_bytes().get(from as usize..to as usize);
        let data = data.ok_or(MietteError::OutOfBounds)?;
        let place = SourceSpan::from((from as usize, data.len()));
        let column = file.position(start).column.saturating_sub(1) as usize;
        let lines = last - first + 1;
        let column = if before == 0 { column } else { 0 };
        let contents = MietteSpanContents::new_named(
            file.name().to_owned(),
            data,
            place,
            first,
            column,
            lines,
        );
        Ok(Box::new(contents))
    }
}
