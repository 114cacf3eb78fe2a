//! The one fixture format: manifests as users write them, the expectation on the line.
//!
//! `# expect: slug "text"` wants a finding of the check whose first label stands on this line and
//! whose headline or one of whose labels holds the text. `# expect-not-assessed: slug "text"` wants
//! an open question about the object whose name stands on this line, with the text in its reason.
//! Findings of the check without an expectation are mistakes, too; other checks do not count.

use crate::document::{FileId, Files};
use crate::finding::{Assessment, Finding, NotAssessed};

/// What a line of a fixture wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The text that holds it.
    pub file: FileId,
    /// Number of the line, from 1.
    pub line: u32,
    /// Whether an open question is wanted instead of a finding.
    pub not_assessed: bool,
    /// Slug of the check.
    pub check: String,
    /// What has to be said.
    pub text: String,
}

/// Reads the expectations of a text.
#[must_use]
pub fn expectations(file: FileId, text: &str) -> Vec<Expectation> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for (marker, not_assessed) in [("# expect: ", false), ("# expect-not-assessed: ", true)] {
            for part in line.split(marker).skip(1) {
                let (check, rest) = part.split_once(' ').unwrap_or((part, ""));
                let quoted = rest.split('"').nth(1).unwrap_or_default();
                found.push(Expectation {
                    file,
                    line: u32::try_from(index + 1).unwrap_or(u32::MAX),
                    not_assessed,
                    check: check.trim().to_owned(),
                    text: quoted.to_owned(),
                });
            }
        }
    }
    found
}

/// Compares what one check said with what is expected of it. Gives one line per difference.
#[must_use]
pub fn differences(
    check: &str,
    expected: &[Expectation],
    assessments: &[Assessment],
    files: &Files,
    head: impl Fn(&NotAssessed) -> Option<(FileId, u32)>,
) -> Vec<String> {
    let mut differences = Vec::new();
    let place = |file: FileId, line: u32| format!("{}:{line}", files.get(file).name());
    for other in expected.iter().filter(|e| e.check != check) {
        let at = place(other.file, other.line);
        differences.push(format!("{at}: a fixture of `{check}` expects `{}`", other.check));
    }
    let mut open: Vec<&Expectation> = expected.iter().filter(|e| e.check == check).collect();
    let findings = assessments.iter().flat_map(|a| &a.findings).filter(|f| f.check == check);
    for finding in findings {
        let Some(at) = finding.primary() else {
            differences.push(format!("a finding has no place: {}", finding.message));
            continue;
        };
        let line = files.get(at.file).position(at.start).line;
        let fits = |e: &&Expectation| {
            !e.not_assessed && (e.file, e.line) == (at.file, line) && says(finding, &e.text)
        };
        match open.iter().position(fits) {
            Some(index) => {
                open.remove(index);
            }
            None => {
                let said = said(finding);
                differences.push(format!("{}: not expected: {said}", place(at.file, line)));
            }
        }
    }
    let questions = assessments.iter().flat_map(|a| &a.not_assessed).filter(|n| n.check == check);
    for question in questions {
        let at = head(question);
        let fits = |e: &&Expectation| {
            e.not_assessed && Some((e.file, e.line)) == at && question.reason.contains(&e.text)
        };
        match open.iter().position(fits) {
            Some(index) => {
                open.remove(index);
            }
            None => {
                let subject =
                    question.subject.as_ref().map_or_else(String::new, ToString::to_string);
                let at = at.map_or_else(String::new, |(file, line)| place(file, line));
                let reason = &question.reason;
                differences.push(format!("{at}: not expected: {subject} not assessed: {reason}"));
            }
        }
    }
    for missing in open {
        let what = if missing.not_assessed { "not assessed" } else { "finding" };
        let at = place(missing.file, missing.line);
        differences.push(format!("{at}: missing: {what} \"{}\"", missing.text));
    }
    differences
}

fn says(finding: &Finding, text: &str) -> bool {
    finding.message.contains(text)
        || finding.help.contains(text)
        || finding.labels.iter().any(|label| label.text.contains(text))
}

fn said(finding: &Finding) -> String {
    let labels: Vec<&str> = finding.labels.iter().map(|label| &*label.text).collect();
    format!("{} [{}]", finding.message, labels.join(" | "))
}
