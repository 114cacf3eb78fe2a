use std::sync::Arc;

use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, NamespaceSource, Span, excerpt};
use crate::finding::{Finding, Layer, Persona, Severity};
use crate::model::pod_security::{ControlResult, Level, Version, evaluate};
use crate::model::{Carrier, Workload};

check! {
    /// Flags workloads whose pods the Pod Security level of their namespace refuses.
    ///
    /// ## Why it matters
    /// Pod Security acts on pods. A Deployment is admitted with a warning; its pods are refused, and
    /// the rollout stands still. Where the level is one that is only asked for, the finding says
    /// what stands between the workload and that level.
    ///
    /// ## Fix
    /// Change the settings that the labels name.
    ///
    /// ## Known gaps
    /// The level is that of the namespace's `enforce` label, or of `--pss`. Without either the
    /// answer is not known: the API server's own default is not visible in any manifest. So are its
    /// exemptions.
    "pod-security-would-reject" {
        run: find,
        title: "Pod Security refuses the pods",
        layer: Layer::Policy,
        cell: CellRole::Decides,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::Pod, Kind::Namespace],
        fix: "change the settings that the labels name",
        aliases: &[],
    }
}

/// The level that a workload has to meet, and the label that says so.
struct Demand {
    level: Level,
    version: Version,
    label: Option<(Span, String)>,
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for workload in cx.model.workloads() {
        let demand = match demand(cx, workload) {
            Ok(demand) => demand,
            Err(reason) => {
                out.not_assessed(&CHECK, &workload.id, reason);
                continue;
            }
        };
        if demand.level == Level::Privileged {
            out.not_applicable();
            continue;
        }
        let results = evaluate(&workload.pod, demand.level, demand.version);
        let failed: Vec<&ControlResult> = results.iter().filter(|r| r.failure.is_some()).collect();
        if failed.is_empty() {
            let label = demand.label.as_ref().map(|(at, _)| *at);
            out.pass(&CHECK, &workload.id, label.unwrap_or(workload.span));
            continue;
        }
        out.push(refused(workload, &demand, &failed));
    }
}

fn demand(cx: &Context<'_>, workload: &Workload) -> Result<Demand, Arc<str>> {
    if let Some((level, version)) = cx.pod_security.instead {
        return Ok(Demand { level, version, label: None });
    }
    let name = &workload.id.namespace;
    let part = cx.model.part(name, &[Kind::Namespace]);
    match workload.namespace {
        NamespaceSource::ClusterScoped => {
            let reason = "its pods run in the namespace of whoever uses it; give `--pss LEVEL`";
            return Err(reason.into());
        }
        NamespaceSource::Assumed => {
            let reason = "its namespace is not written; write it, or give `--pss LEVEL`";
            return Err(reason.into());
        }
        NamespaceSource::Written | NamespaceSource::Given => {}
    }
    let Some(namespace) = part.and_then(|part| part.namespace.as_ref()) else {
        let reason =
            format!("Namespace `{name}` is not in the input; add it, or give `--pss LEVEL`");
        return Err(reason.into());
    };
    let Some(found) = namespace.enforcement() else {
        let reason = format!(
            "Namespace `{name}` has no `enforce` label, so the API server's own default holds, \
             which no manifest shows; label it, or give `--pss LEVEL`"
        );
        return Err(reason.into());
    };
    let text = match &found.invalid {
        Some(word) => format!("`{}` is no level, so the strictest is enforced", excerpt(word)),
        None => "this level is enforced here".to_owned(),
    };
    Ok(Demand { level: found.level, version: found.version, label: Some((found.span, text)) })
}

fn refused(workload: &Workload, demand: &Demand, failed: &[&ControlResult]) -> Finding {
    /// Places that are labelled; the rest is counted in the last label.
    const PLACES: usize = 12;
    let level = format!("{}:{}", demand.level.word(), demand.version);
    let headline = match workload.carrier {
        Carrier::Pod => format!("{} is refused at `{level}`", workload.title()),
        _ => format!("{} is admitted, its pods are refused at `{level}`", workload.title()),
    };
    let mut finding = CHECK
        .finding(&workload.id, headline)
        .affects([Arc::clone(&workload.id)])
        .controls(failed.iter().map(|result| result.id));
    let failures = failed.iter().filter_map(|result| result.failure.as_ref());
    let places: Vec<(Span, String)> = failures
        .flat_map(|failure| failure.violations.iter().map(|v| (v.span, failure.reason.clone())))
        .collect();
    for (at, reason) in places.iter().take(PLACES) {
        finding = finding.label(*at, reason.clone());
    }
    if let Some(more) = places.len().checked_sub(PLACES).filter(|more| *more > 0) {
        finding = finding.label(workload.span, format!("and {more} more places"));
    }
    match &demand.label {
        Some((at, text)) => finding.label(*at, text.clone()),
        None => finding,
    }
}
