//! Findings that a team knows and mends later: written to a file once, then counted and no longer
//! reported.

use std::collections::BTreeMap;

use super::recount;
use crate::document::{FileId, Node, Span, clean, read_settings};
use crate::finding::{Assessment, Finding};

/// Id of the form of the file.
const SCHEMA: &str = "palisade.baseline/v1";

/// A root, and the fingerprint of a finding in it.
type Key = (String, String);

/// The findings that are known.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    /// How often each is known, with the name of its check.
    known: BTreeMap<Key, (String, usize)>,
}

impl Baseline {
    /// All findings of a run.
    #[must_use]
    pub fn of(assessments: &[Assessment]) -> Self {
        let mut known: BTreeMap<Key, (String, usize)> = BTreeMap::new();
        for finding in assessments.iter().flat_map(|assessment| &assessment.findings) {
            for key in keys(finding) {
                known.entry(key).or_insert_with(|| (finding.check.to_owned(), 0)).1 += 1;
            }
        }
        Self { known }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Says what is wrong with it, and where.
    pub fn read(text: &str) -> Result<Self, (Span, String)> {
        let file = FileId(0);
        let start = Span::start_of(file);
        let (tree, _) = read_settings(file, text).map_err(|wrong| (wrong.at, wrong.message))?;
        let tree = tree.ok_or_else(|| (start, "the file is empty".to_owned()))?;
        let root = tree.root();
        let schema = root.get("schema").and_then(Node::as_str).unwrap_or("nothing");
        if schema != SCHEMA {
            let message = format!("it is `{}`, not `{SCHEMA}`", clean(schema));
            return Err((root.get("schema").map_or(start, Node::span), message));
        }
        let mut known = BTreeMap::new();
        for entry in root.get("findings").into_iter().flat_map(Node::children) {
            let text = |key: &str| {
                let value = entry.get(key).and_then(Node::as_str).map(str::to_owned);
                value.ok_or_else(|| (entry.span(), format!("an entry has no `{key}`")))
            };
            let count = entry.get("count").and_then(Node::as_int).unwrap_or(1);
            let count = usize::try_from(count).unwrap_or(1);
            known.insert((text("root")?, text("fingerprint")?), (text("check")?, count));
        }
        Ok(Self { known })
    }

    /// The text of the file: sorted, one entry in a line.
    #[must_use]
    pub fn text(&self) -> String {
        let entry = |((root, fingerprint), (check, count)): (&Key, &(String, usize))| {
            let count = if *count == 1 { String::new() } else { format!(", \"count\": {count}") };
            format!(
                "    {{\"root\": {}, \"check\": {}, \"fingerprint\": {}{count}}}",
                quoted(root),
                quoted(check),
                quoted(fingerprint)
            )
        };
        let entries: Vec<String> = self.known.iter().map(entry).collect();
        format!(
            "{{\n  \"schema\": \"{SCHEMA}\",\n  \"findings\": [\n{}\n  ]\n}}\n",
            entries.join(",\n")
        )
    }

    /// Takes known findings out, each as often as it is known. One of several roots is known where it
    /// is in all of them. Gives how many are known that are no longer there.
    pub fn subtract(mut self, assessments: &mut [Assessment]) -> usize {
        for assessment in assessments.iter_mut() {
            let before = assessment.findings.len();
            assessment.findings.retain(|finding| !self.take(finding));
            assessment.in_baseline += before - assessment.findings.len();
        }
        assessments.iter_mut().for_each(recount);
        self.known.values().map(|(_, count)| count).sum()
    }

    fn take(&mut self, finding: &Finding) -> bool {
        let keys: Vec<Key> = keys(finding).collect();
        let left = |key: &Key| self.known.get(key).is_some_and(|(_, count)| *count > 0);
        let known = !keys.is_empty() && keys.iter().all(left);
        for key in keys.iter().filter(|_| known) {
            if let Some((_, count)) = self.known.get_mut(key) {
                *count -= 1;
            }
        }
        known
    }
}

fn keys(finding: &Finding) -> impl Iterator<Item = Key> {
    finding.roots.iter().map(|root| (root.clone(), finding.fingerprint.clone()))
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text has a JSON form")
}
