//! Waivers: which findings they cover, and which waivers are a finding themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use sha2::{Digest, Sha256};

use super::Settings;
use crate::catalog::Check;
use crate::checks::waivers::{EXPIRED, TOO_BROAD, UNUSED};
use crate::config::{Spelling, Waiver, WaiverScope, nearest, of_document};
use crate::document::{Document, FileId, Files, Inventory, ObjectId, Span, excerpt};
use crate::finding::{AppliedWaiver, Assessment, Finding, Ignored, NotAssessed};

/// Most subjects that one waiver may hide unless configured otherwise.
const MOST_SUBJECTS: u64 = 20;

/// A waiver and what it did.
struct Used {
    waiver: Waiver,
    /// The roots in which it counts; what is said about it goes to the first.
    roots: BTreeSet<usize>,
    /// The object that carries it.
    holder: Arc<ObjectId>,
    subjects: HashSet<Arc<ObjectId>>,
}

impl Used {
    fn new(waiver: Waiver, holder: &Arc<ObjectId>) -> Self {
        let (roots, subjects) = (BTreeSet::new(), HashSet::new());
        Self { waiver, roots, holder: Arc::clone(holder), subjects }
    }
}

/// Moves what is waived out of the findings, and adds what is to be said about the waivers.
pub(super) fn apply(
    assessments: &mut [Assessment],
    inventories: &[Arc<Inventory>],
    files: &Files,
    settings: &Settings,
) {
    if !settings.waivers || assessments.is_empty() {
        return;
    }
    let mut waivers = of_configuration(settings, assessments.len());
    waivers.extend(of_inventories(inventories, assessments, files, settings));
    if waivers.is_empty() {
        return;
    }
    let index = Index::of(&waivers);
    for (root, assessment) in assessments.iter_mut().enumerate() {
        let mut kept = Vec::with_capacity(assessment.findings.len());
        for finding in std::mem::take(&mut assessment.findings) {
            let covers = |used: &Used| {
                used.roots.contains(&root)
                    && !used.waiver.expired(settings.today)
                    && used.waiver.covers(&finding, files)
            };
            let mut near = index.near(&finding, files).into_iter();
            let covering = near.find(|at| waivers.get(*at).is_some_and(covers));
            match covering.and_then(|at| waivers.get_mut(at)) {
                None => kept.push(finding),
                Some(used) => {
                    used.subjects.insert(Arc::clone(&finding.subject));
                    let waiver = applied(&used.waiver);
                    assessment.ignored.push(Ignored { finding, waiver });
                }
            }
        }
        assessment.findings = kept;
    }
    let ran: HashSet<&str> = settings.enabled().iter().map(|check| check.slug).collect();
    let run = Ran { checks: &ran, assessments, inventories, files, settings };
    let said: Vec<(usize, Vec<Finding>)> = waivers
        .iter()
        .map(|used| (used.roots.first().copied().unwrap_or(0), run.judge(used)))
        .collect();
    for (root, findings) in said {
        if let Some(assessment) = assessments.get_mut(root) {
            let name = assessment.root.clone();
            let named = findings.into_iter().map(|finding| {
                let roots = vec![name.clone()];
                Finding { roots, ..finding }
            });
            assessment.findings.extend(named);
        }
    }
}

/// Places in the list of waivers by what they may cover. Whether one does, [`Waiver::covers`] decides.
#[derive(Default)]
struct Index {
    objects: HashMap<Arc<ObjectId>, Vec<usize>>,
    lines: HashMap<(FileId, usize), Vec<usize>>,
    anywhere: HashMap<String, Vec<usize>>,
}

impl Index {
    fn of(waivers: &[Used]) -> Self {
        let mut index = Self::default();
        for (at, Used { waiver, .. }) in waivers.iter().enumerate() {
            let list = match &waiver.scope {
                WaiverScope::Object(id) => index.objects.entry(Arc::clone(id)).or_default(),
                WaiverScope::Line { comment, line } => {
                    index.lines.entry((comment.file, *line)).or_default()
                }
                WaiverScope::Matching(_) => index.anywhere.entry(waiver.check.clone()).or_default(),
            };
            list.push(at);
        }
        index
    }

    /// The waivers that may cover a finding, in order.
    fn near(&self, finding: &Finding, files: &Files) -> Vec<usize> {
        let mut near: Vec<usize> = Vec::new();
        near.extend(self.objects.get(&finding.subject).into_iter().flatten());
        near.extend(self.anywhere.get(finding.check).into_iter().flatten());
        if let Some(at) = finding.primary().filter(|_| !self.lines.is_empty()) {
            for line in files.get(at.file).lines_of(at) {
                near.extend(self.lines.get(&(at.file, line)).into_iter().flatten());
            }
        }
        near.sort_unstable();
        near
    }
}

fn of_configuration(settings: &Settings, roots: usize) -> Vec<Used> {
    let holder = Arc::new(ObjectId {
        group: "palisade.dev".to_owned(),
        kind: "Configuration".to_owned(),
        namespace: String::new(),
        name: "palisade.yaml".to_owned(),
    });
    let used = |waiver: &Waiver| {
        let used = Used::new(waiver.clone(), &holder);
        Used { roots: (0..roots).collect(), ..used }
    };
    settings.config.waivers.iter().map(used).collect()
}

/// The waivers in comments and annotations, each once, whatever the roots that hold its object. One
/// that cannot be read is an error of the first of them.
fn of_inventories(
    inventories: &[Arc<Inventory>],
    assessments: &mut [Assessment],
    files: &Files,
    settings: &Settings,
) -> Vec<Used> {
    let mut found: BTreeMap<(Span, String), Used> = BTreeMap::new();
    let mut unreadable: BTreeMap<(Span, String), (usize, Arc<ObjectId>)> = BTreeMap::new();
    for (root, inventory) in inventories.iter().enumerate() {
        let read = |document| {
            let (own, refused) = of_document(document, files);
            let carries = !(own.is_empty() && refused.is_empty());
            carries.then_some((document, own, refused))
        };
        let carried: Vec<_> = inventory.documents.par_iter().filter_map(read).collect();
        for (document, own, refused) in carried {
            let mut refuse = |at: Span, message: String| {
                let first = || (root, Arc::clone(&document.id));
                unreadable.entry((at, message)).or_insert_with(first);
            };
            refused.into_iter().for_each(|refused| refuse(refused.at, refused.message));
            for waiver in own {
                if settings.catalog.get(&waiver.check).is_none() {
                    refuse(waiver.check_span, unknown(&waiver.check, settings));
                    continue;
                }
                let key = (waiver.span, waiver.check.clone());
                let used = found.entry(key).or_insert_with(|| Used::new(waiver, &document.id));
                used.roots.insert(root);
            }
        }
    }
    for ((at, message), (root, subject)) in unreadable {
        let file = files.get(at.file);
        let line = file.position(at.start).line;
        let reason = format!("{}:{line}: {message}", file.name()).into();
        if let Some(assessment) = assessments.get_mut(root) {
            let check = UNUSED.slug;
            let open = NotAssessed { check, subject: Some(subject), reason, error: true };
            assessment.not_assessed.push(open);
        }
    }
    found.into_values().collect()
}

fn unknown(slug: &str, settings: &Settings) -> String {
    let slugs = settings.catalog.checks().iter().map(|check| check.slug);
    let near = nearest(slug, slugs).map(|near| format!(": write `{near}`"));
    format!("no check is called `{}`{}", excerpt(slug), near.unwrap_or_default())
}

/// What ran, and over what.
struct Ran<'a> {
    checks: &'a HashSet<&'a str>,
    assessments: &'a [Assessment],
    inventories: &'a [Arc<Inventory>],
    files: &'a Files,
    settings: &'a Settings,
}

impl Ran<'_> {
    /// What is to be said about a waiver.
    fn judge(&self, used: &Used) -> Vec<Finding> {
        let Used { waiver, subjects, .. } = used;
        let title = format!("the waiver for `{}`", waiver.check);
        let mut findings = Vec::new();
        if waiver.expired(self.settings.today) {
            let until = waiver.until.map(|day| day.to_string()).unwrap_or_default();
            let label = (waiver.until_span, format!("its last day was {until}"));
            findings.extend(self.raise(&EXPIRED, used, format!("{title} has expired"), label));
        } else if subjects.is_empty() && self.could_match(used) {
            let label = (waiver.check_span, "nothing here is covered by this".to_owned());
            findings.extend(self.raise(&UNUSED, used, format!("{title} covers no finding"), label));
        }
        let most = self.settings.params.get(TOO_BROAD.slug).and_then(|params| params.number("max"));
        let most = most.unwrap_or(MOST_SUBJECTS);
        let hides = subjects.len() as u64;
        let broad = matches!(&waiver.scope, WaiverScope::Matching(wanted) if wanted.is_broad());
        if broad {
            let label = (waiver.span, "its `match` has neither `name` nor `file`".to_owned());
            let message = format!("{title} covers every object");
            findings.extend(self.raise(&TOO_BROAD, used, message, label));
        } else if hides > most {
            let label = (waiver.span, format!("at most {most} are expected"));
            let message = format!("{title} hides findings about {hides} objects");
            findings.extend(self.raise(&TOO_BROAD, used, message, label));
        }
        findings
    }

    /// A finding about a waiver, as severe as the configuration wants it.
    fn raise(
        &self,
        check: &'static Check,
        used: &Used,
        message: String,
        (at, text): (Span, String),
    ) -> Option<Finding> {
        if !self.checks.contains(check.slug) {
            return None;
        }
        let mut finding = check.finding(&used.holder, message).label(at, text);
        finding.severity = self.settings.severity(check, finding.severity);
        finding.fingerprint = fingerprint(check, used);
        self.settings.keep(&mut finding, self.files).then_some(finding)
    }

    /// Whether the check of a waiver ran, and answered, where the waiver could cover something.
    fn could_match(&self, used: &Used) -> bool {
        let Used { waiver, holder, .. } = used;
        if !self.checks.contains(waiver.check.as_str()) {
            return false;
        }
        let here = |document: &Document| {
            let file = self.files.get(document.head.file).name();
            waiver.concerns(&document.id, file, holder)
        };
        // What another root leaves open, or lacks, says nothing about this waiver.
        let counts = |root: &(usize, &Assessment)| used.roots.contains(&root.0);
        let roots = self.assessments.iter().enumerate().filter(counts).map(|(_, a)| a);
        let own = self.inventories.iter().enumerate().filter(|(at, _)| used.roots.contains(at));
        let own: Vec<&Arc<Inventory>> = own.map(|(_, inventory)| inventory).collect();
        let unanswered = roots.zip(&own).any(|(assessment, inventory)| {
            let open = assessment.not_assessed.iter().filter(|open| open.check == waiver.check);
            open.filter(|open| !open.error).any(|open| {
                let subject = open.subject.as_ref();
                subject.is_none_or(|id| inventory.named(id).is_none_or(&here))
            })
        });
        let whole = self.settings.whole && own.iter().all(|i| i.gaps.is_empty());
        let mut documents = own.iter().flat_map(|inventory| &inventory.documents);
        !unanswered && (whole || documents.any(here))
    }
}

/// Hash of what tells one waiver from another, never of its line.
fn fingerprint(check: &Check, used: &Used) -> String {
    let id = &used.holder;
    let mut hash = Sha256::new();
    let waiver = used.waiver.identity();
    for part in [check.slug, &id.group, &id.kind, &id.namespace, &id.name, &waiver] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    super::hex(&hash.finalize())
}

fn applied(waiver: &Waiver) -> AppliedWaiver {
    AppliedWaiver {
        spelling: waiver.spelling.word(),
        in_source: waiver.spelling != Spelling::Configuration,
        span: waiver.span,
        reason: waiver.reason.clone(),
        owner: waiver.owner.clone(),
        until: waiver.until.map(|day| day.to_string()),
        approver: waiver.approver.clone(),
        ticket: waiver.ticket.clone(),
    }
}
