//! Waivers: which findings they cover, and which waivers are a finding themselves.

use std::collections::HashSet;
use std::sync::Arc;

use super::Settings;
use crate::checks::waivers::{EXPIRED, TOO_BROAD, UNUSED};
use crate::config::{Spelling, Waiver, WaiverScope, of_document};
use crate::document::{Files, Inventory, ObjectId, Span};
use crate::finding::{AppliedWaiver, Assessment, Finding, Ignored, NotAssessed};

/// Most subjects that one waiver may hide unless configured otherwise.
const MOST_SUBJECTS: u64 = 20;

/// A waiver and what it did.
struct Used {
    waiver: Waiver,
    /// The root that its findings go to.
    root: usize,
    /// The object that carries it.
    holder: Arc<ObjectId>,
    subjects: HashSet<Arc<ObjectId>>,
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
    let mut waivers = of_configuration(settings);
    for (root, inventory) in inventories.iter().enumerate() {
        let (own, unreadable) = of_inventory(inventory, root, files, settings);
        waivers.extend(own);
        if let Some(assessment) = assessments.get_mut(root) {
            assessment.not_assessed.extend(unreadable);
        }
    }
    for (root, assessment) in assessments.iter_mut().enumerate() {
        let mut kept = Vec::with_capacity(assessment.findings.len());
        for finding in std::mem::take(&mut assessment.findings) {
            let covering = waivers.iter_mut().find(|used| {
                let here = used.waiver.spelling == Spelling::Configuration || used.root == root;
                here && !used.waiver.expired(settings.today) && used.waiver.covers(&finding, files)
            });
            match covering {
                None => kept.push(finding),
                Some(used) => {
                    used.subjects.insert(Arc::clone(&finding.subject));
                    let waiver = applied(&used.waiver);
                    assessment.ignored.push(Ignored { finding, waiver });
                }
            }
        }
        assessment.findings = kept;
        assessment.ignored.sort_by(|a, b| a.finding.order(&b.finding));
    }
    let ran: HashSet<&str> = settings.enabled().iter().map(|check| check.slug).collect();
    for used in &waivers {
        let findings = judge(used, &ran, settings);
        if let Some(assessment) = assessments.get_mut(used.root) {
            let root = assessment.root.clone();
            assessment.findings.extend(findings.into_iter().map(|mut finding| {
                finding.roots = vec![root.clone()];
                finding.fingerprint = format!("{}-{}", finding.check, used.waiver.check);
                finding
            }));
        }
    }
}

fn of_configuration(settings: &Settings) -> Vec<Used> {
    let holder = Arc::new(ObjectId {
        group: "palisade.dev".to_owned(),
        kind: "Configuration".to_owned(),
        namespace: String::new(),
        name: "palisade.yaml".to_owned(),
    });
    let used = |waiver: &Waiver| Used {
        waiver: waiver.clone(),
        root: 0,
        holder: Arc::clone(&holder),
        subjects: HashSet::new(),
    };
    settings.config.waivers.iter().map(used).collect()
}

fn of_inventory(
    inventory: &Inventory,
    root: usize,
    files: &Files,
    settings: &Settings,
) -> (Vec<Used>, Vec<NotAssessed>) {
    let mut waivers = Vec::new();
    let mut unreadable = Vec::new();
    let mut seen: HashSet<(Span, String)> = HashSet::new();
    for document in &inventory.documents {
        let (own, refused) = of_document(document, files);
        let mut refuse = |at: Span, message: &str| {
            let file = files.get(at.file);
            let line = file.position(at.start).line;
            unreadable.push(NotAssessed {
                check: UNUSED.slug,
                subject: Some(Arc::clone(&document.id)),
                reason: format!("{}:{line}: {message}", file.name()).into(),
                error: true,
            });
        };
        refused.iter().for_each(|refused| refuse(refused.at, &refused.message));
        for waiver in own {
            if !seen.insert((waiver.span, waiver.check.clone())) {
                continue;
            }
            if settings.catalog.get(&waiver.check).is_none() {
                refuse(waiver.check_span, &format!("no check is called `{}`", waiver.check));
                continue;
            }
            let holder = Arc::clone(&document.id);
            waivers.push(Used { waiver, root, holder, subjects: HashSet::new() });
        }
    }
    (waivers, unreadable)
}

/// What is to be said about a waiver.
fn judge(used: &Used, ran: &HashSet<&str>, settings: &Settings) -> Vec<Finding> {
    let Used { waiver, holder, subjects, .. } = used;
    let title = format!("the waiver for `{}`", waiver.check);
    let mut findings = Vec::new();
    if waiver.expired(settings.today) {
        let until = waiver.until.map(|day| day.to_string()).unwrap_or_default();
        let finding = EXPIRED.finding(holder, format!("{title} has expired"));
        findings.push(finding.label(waiver.until_span, format!("its last day was {until}")));
    } else if subjects.is_empty() && ran.contains(waiver.check.as_str()) {
        let finding = UNUSED.finding(holder, format!("{title} covers no finding"));
        findings.push(finding.label(waiver.check_span, "nothing here is covered by this"));
    }
    let most = settings.params.get(TOO_BROAD.slug).and_then(|params| params.number("max"));
    let most = most.unwrap_or(MOST_SUBJECTS);
    let hides = subjects.len() as u64;
    let broad = matches!(&waiver.scope, WaiverScope::Matching(wanted) if wanted.is_broad());
    if broad {
        let finding = TOO_BROAD.finding(holder, format!("{title} covers every object"));
        findings.push(finding.label(waiver.span, "its `match` has neither `name` nor `file`"));
    } else if hides > most {
        let finding = TOO_BROAD.finding(holder, format!("{title} hides {hides} subjects"));
        findings.push(finding.label(waiver.span, format!("at most {most} are expected")));
    }
    let enabled = |finding: &Finding| ran.contains(finding.check);
    findings.retain(enabled);
    findings
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
