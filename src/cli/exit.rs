//! The exit code of a run, and why: findings win over incompleteness, and that over emptiness.

use super::gate::Concern;
use super::{CheckArgs, setup};
use crate::document::State;
use crate::finding::{Assessment, Finding};
use crate::report::{Exit, counted};
use crate::source::{Loaded, TEXT_LEFT_OUT};

/// The exit code of a run, with the reason for people.
pub(super) fn of(
    args: &CheckArgs,
    loaded: &Loaded,
    assessments: &[Assessment],
    concern: &Concern<'_>,
) -> Exit {
    let exit = |code, reason| Exit { code, reason };
    if let Some(reason) = failing(args, assessments) {
        return match args.exit_zero {
            true => exit(0, format!("{reason}, and --exit-zero")),
            false => exit(1, reason),
        };
    }
    if let Some(reason) = incomplete(args.strict, loaded, assessments, concern) {
        return match args.allow_incomplete {
            true => exit(0, format!("{reason}, and --allow-incomplete")),
            false => exit(4, reason),
        };
    }
    let rendered = loaded.inventories.iter().any(|inventory| !inventory.documents.is_empty());
    if !rendered && loaded.reports.iter().all(|report| report.objects == 0) {
        let text = loaded.reports.iter().any(|r| r.reason.as_deref() == Some(TEXT_LEFT_OUT));
        let hint = if text { "; `--include-docs` reads documents and scripts, too" } else { "" };
        return exit(3, format!("no Kubernetes object was found{hint}"));
    }
    let silent = assessments.iter().all(|a| a.findings.is_empty() && a.hidden == 0);
    let whole = assessments.iter().all(|a| a.not_assessed.is_empty() && a.gaps.is_empty());
    exit(
        0,
        match (silent, whole) {
            (true, true) => "clean".to_owned(),
            (true, false) => "no finding, but not everything could be assessed".to_owned(),
            (false, _) => format!("no finding at or above {}", setup::severity(args.fail_on)),
        },
    )
}

/// Which findings make the run fail.
fn failing(args: &CheckArgs, assessments: &[Assessment]) -> Option<String> {
    let threshold = setup::severity(args.fail_on);
    let named = |list: &[String], finding: &Finding| list.iter().any(|n| n == finding.check);
    let (mut severe, mut chosen) = (0, 0);
    for finding in assessments.iter().flat_map(|a| &a.findings) {
        if finding.severity >= threshold && !named(&args.warn_on_check, finding) {
            severe += 1;
        } else if named(&args.fail_on_check, finding) {
            chosen += 1;
        }
    }
    let severe_text = format!("{} at or above {threshold}", counted(severe, "finding"));
    match (severe, chosen) {
        (0, 0) => None,
        (_, 0) => Some(severe_text),
        (0, _) => Some(format!("{} of --fail-on-check", counted(chosen, "finding"))),
        _ => Some(format!("{severe_text}, and {chosen} of --fail-on-check")),
    }
}

/// Why the run did not see everything.
fn incomplete(
    strict: bool,
    loaded: &Loaded,
    assessments: &[Assessment],
    concern: &Concern<'_>,
) -> Option<String> {
    let reports = || loaded.reports.iter().filter(|report| concern.file(&report.name));
    let unseen = reports().filter(|report| report.state.is_incomplete()).count();
    if unseen > 0 {
        let was = if unseen == 1 { "was" } else { "were" };
        let files = counted(unseen, "file");
        return Some(format!("incomplete: {files} {was} not read or rendered to the end"));
    }
    let inventories = loaded.inventories.iter().enumerate();
    let gaps = inventories.filter(|(at, _)| concern.root(*at)).flat_map(|(_, i)| &i.gaps);
    let unrendered = gaps.clone().filter(|gap| gap.reason.is_incomplete()).count();
    if unrendered > 0 {
        let was = if unrendered == 1 { "was" } else { "were" };
        let parts = counted(unrendered, "part");
        return Some(format!("incomplete: {parts} {was} not rendered"));
    }
    let of_roots = assessments.iter().enumerate().filter(|(at, _)| concern.root(*at));
    let open = of_roots.flat_map(|(_, a)| &a.not_assessed);
    let errors = open.clone().filter(|open| open.error).count();
    if errors > 0 {
        let what = match errors {
            1 => "a check or waiver".to_owned(),
            _ => format!("{errors} checks or waivers"),
        };
        return Some(format!("incomplete: {what} could not be run or read"));
    }
    let encrypted = reports().filter(|r| r.state == State::Encrypted).count();
    let mut unknown = Vec::new();
    match open.count() {
        0 => {}
        open => unknown.push(format!("{} not assessed", counted(open, "question"))),
    }
    if encrypted > 0 {
        unknown.push(format!("{} encrypted", counted(encrypted, "file")));
    }
    let elsewhere = gaps.filter(|gap| gap.reason.is_elsewhere()).count();
    if elsewhere > 0 {
        unknown.push(format!("{} elsewhere", counted(elsewhere, "part")));
    }
    (strict && !unknown.is_empty())
        .then(|| format!("incomplete: {}, and --strict", unknown.join(", ")))
}
