//! The evidence of a pass is what the pass rests on: without that object the pass is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use palisade::document::{Document, ObjectId, Span};
use tempfile::TempDir;

use crate::support::{files_below, judge, project, write};

/// The text of an object: file, first and last byte.
type Place = (String, usize, usize);

/// A pass, and the object that its evidence stands in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Proof {
    root: String,
    check: &'static str,
    subject: ObjectId,
    evidence: Place,
    object: Place,
    /// Whether the evidence stands in the subject itself.
    own: bool,
}

impl Proof {
    fn is_about(&self, other: &Self) -> bool {
        (&self.root, self.check, &self.subject) == (&other.root, other.check, &other.subject)
    }
}

/// A sample, of which objects can be taken away.
struct Bench {
    directory: TempDir,
    files: Vec<(String, Vec<u8>)>,
    known: BTreeMap<BTreeSet<Place>, BTreeSet<Proof>>,
}

impl Bench {
    fn of(sample: &Path) -> Self {
        let name = |path: &PathBuf| {
            let inside = path.strip_prefix(sample).expect("a file of the sample");
            inside.to_str().expect("plain names").to_owned()
        };
        let read = |path: PathBuf| (name(&path), std::fs::read(&path).expect("readable"));
        let directory = tempfile::tempdir().expect("a scratch directory");
        let files = files_below(sample).into_iter().map(read).collect();
        Self { directory, files, known: BTreeMap::new() }
    }

    /// The passes of the sample without some of its objects. What is taken away becomes blanks, so
    /// that everything else stays where it was.
    fn proofs(&mut self, without: &BTreeSet<Place>) -> BTreeSet<Proof> {
        if let Some(known) = self.known.get(without) {
            return known.clone();
        }
        for (name, text) in &self.files {
            let mut text = text.clone();
            for (_, start, end) in without.iter().filter(|(file, ..)| file == name) {
                let gone = text.get_mut(*start..*end).expect("the object lies in its file");
                gone.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
            }
            write(self.directory.path(), name, text);
        }
        let proofs = self.judge();
        self.known.insert(without.clone(), proofs.clone());
        proofs
    }

    fn judge(&self) -> BTreeSet<Proof> {
        let run = judge(&[self.directory.path().to_owned()]);
        let place = |span: Span| {
            let name = run.loaded.files.get(span.file).name();
            let file = self.files.iter().map(|(file, _)| file).find(|file| name.ends_with(*file));
            let file = file.unwrap_or_else(|| panic!("{name} is no file of the sample")).clone();
            let at = |byte: u32| usize::try_from(byte).expect("a small file");
            (file, at(span.start), at(span.end))
        };
        let mut proofs = BTreeSet::new();
        for (assessment, inventory) in run.assessments.iter().zip(&run.loaded.inventories) {
            for pass in &assessment.passes {
                let holds = |document: &&Document| document.extent.contains(pass.evidence);
                let object = inventory.documents.iter().find(holds);
                let object = object.unwrap_or_else(|| panic!("{pass:?} names no object"));
                proofs.insert(Proof {
                    root: assessment.root.clone(),
                    check: pass.check,
                    subject: pass.subject.as_ref().clone(),
                    evidence: place(pass.evidence),
                    object: place(object.extent),
                    own: object.id == pass.subject,
                });
            }
        }
        proofs
    }

    /// Takes away what a pass rests on, and whatever the check falls back on, until it passes no
    /// more. Gives back all that was taken.
    fn undermine(&mut self, proof: &Proof, all: &BTreeSet<Proof>) -> BTreeSet<Place> {
        let mut taken = BTreeSet::from([proof.object.clone()]);
        loop {
            let left = self.proofs(&taken);
            assert!(!left.contains(proof), "without its evidence this still passes: {proof:?}");
            let next = left.iter().find(|other| other.is_about(proof) && !all.contains(other));
            match next {
                Some(next) => assert!(taken.insert(next.object.clone()), "{next:?} was taken"),
                None => return taken,
            }
        }
    }
}

/// What a sample showed: its passes, those proven by another object, and the checks of these.
struct Shown {
    passes: usize,
    by_others: usize,
    checks: BTreeSet<&'static str>,
}

/// Every pass of a sample goes with its evidence. Where other objects prove the same, or the check
/// falls back on one, the evidence has to prove the pass by itself once they are taken away.
fn undermined(sample: &str) -> Shown {
    let mut bench = Bench::of(&project().join("samples").join(sample));
    let all = bench.proofs(&BTreeSet::new());
    for proof in &all {
        let mut others = bench.undermine(proof, &all);
        let rivals = all.iter().filter(|other| other.is_about(proof) && !other.own);
        others.extend(rivals.map(|other| other.object.clone()));
        others.remove(&proof.object);
        let alone = bench.proofs(&others);
        assert!(alone.contains(proof), "{sample}: this proves nothing by itself: {proof:?}");
    }
    let by_others: Vec<&Proof> = all.iter().filter(|proof| !proof.own).collect();
    let checks = by_others.iter().map(|proof| proof.check).collect();
    Shown { passes: all.len(), by_others: by_others.len(), checks }
}

#[test]
fn no_pass_of_the_hardened_sample_outlives_its_evidence() {
    let Shown { passes, by_others, checks } = undermined("hardened");
    assert!(passes > 100, "only {passes} passes");
    assert!(by_others > 50, "only {by_others} passes rest on another object");
    assert!(checks.len() > 15, "only these rest on another object: {checks:?}");
}

#[test]
fn no_pass_of_the_other_samples_outlives_its_evidence() {
    for sample in ["agent-bruno", "coagents", "deploy-mcp", "mcp-fabric", "mcp-ui"] {
        let Shown { passes, by_others, .. } = undermined(sample);
        assert!(passes > 20, "{sample}: only {passes} passes");
        assert!(by_others > 0, "{sample}: no pass rests on another object");
    }
}
