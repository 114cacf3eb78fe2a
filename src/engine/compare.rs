//! What an earlier tree had already: it is counted, and does not count.

use std::collections::BTreeMap;

use super::recount;
use crate::document::Files;
use crate::finding::{Assessment, Finding};

/// What makes two findings of two trees the same.
type Key = (&'static str, Option<String>, String, String);

/// Where a finding was: the file of its first place, and its first root.
type Place = (String, String);

/// The findings of an earlier tree.
#[derive(Debug, Default)]
pub struct Earlier {
    findings: BTreeMap<Key, Vec<Place>>,
}

impl Earlier {
    /// Keeps what is needed of an earlier tree, after its findings were concluded.
    #[must_use]
    pub fn of(assessments: &[Assessment], files: &Files) -> Self {
        let mut findings: BTreeMap<Key, Vec<Place>> = BTreeMap::new();
        for finding in assessments.iter().flat_map(|assessment| &assessment.findings) {
            findings.entry(key(finding)).or_default().push(place(finding, files));
        }
        Self { findings }
    }

    /// Takes out of the findings what was there earlier, each as often as it was there. What stands
    /// in the same file is the same rather than what moved.
    pub fn subtract(mut self, assessments: &mut [Assessment], files: &Files) {
        let same: [fn(&Place, &Place) -> bool; 3] =
            [|was, is| was == is, |was, is| was.0 == is.0, |_, _| true];
        for same in same {
            for assessment in assessments.iter_mut() {
                let before = assessment.findings.len();
                assessment.findings.retain(|finding| !self.take(finding, files, same));
                assessment.in_base += before - assessment.findings.len();
            }
        }
        assessments.iter_mut().for_each(recount);
    }

    fn take(&mut self, finding: &Finding, files: &Files, same: fn(&Place, &Place) -> bool) -> bool {
        let Some(places) = self.findings.get_mut(&key(finding)) else { return false };
        let is = place(finding, files);
        let found = places.iter().position(|was| same(was, &is));
        found.map(|at| places.swap_remove(at)).is_some()
    }
}

fn key(finding: &Finding) -> Key {
    let Finding { check, container, fingerprint, message, .. } = finding;
    (check, container.clone(), fingerprint.clone(), message.clone())
}

fn place(finding: &Finding, files: &Files) -> Place {
    let file = finding.primary().map(|at| files.get(at.file).name().to_owned());
    (file.unwrap_or_default(), finding.roots.first().cloned().unwrap_or_default())
}
