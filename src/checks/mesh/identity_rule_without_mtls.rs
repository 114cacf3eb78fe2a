use std::sync::Arc;

use super::evidence::title;
use super::{is_left_out, selected};
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::config::Mesh;
use crate::document::{Kind, Span};
use crate::finding::{Finding, Layer, Persona, Severity};
use crate::model::{Anonymous, AuthRule, AuthorizationPolicy, Known, Unknown, Workload};

check! {
    /// Flags rules about identities on workloads that accept callers without one.
    ///
    /// ## Why it matters
    /// Principals and namespaces come from the client's certificate. Over plaintext there is none: a
    /// DENY rule for an identity does not match such a caller, who gets in, and an ALLOW rule for
    /// everybody but an identity does.
    ///
    /// ## Fix
    /// Set mTLS to STRICT for these workloads.
    ///
    /// ## Known gaps
    /// A policy of the mesh's root namespace is not blamed for pods of the host's network, of
    /// kube-system and of that namespace itself. An ALLOW rule for an identity refuses plaintext callers: it is reported as low, because
    /// callers outside the mesh are cut off without notice. A DENY rule for everybody but an
    /// identity refuses them, too, and is not reported. Policies with `targetRefs` are not judged.
    "identity-rule-without-mtls" {
        run: find,
        title: "identity rule without enforced mTLS",
        layer: Layer::Mesh,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[
            Kind::AuthorizationPolicy,
            Kind::Pod,
            Kind::Namespace,
            Kind::PeerAuthentication,
            Kind::Gateway,
        ],
        fix: "set `spec.mtls.mode: STRICT` for these workloads",
        aliases: &[("kiali", "KIA0105")],
    }
}

/// How the workloads of a policy are called.
#[derive(Default)]
struct Callers<'a> {
    open: Vec<&'a Workload>,
    place: Option<(Span, String)>,
    strict: Option<Span>,
    doubt: Option<Arc<str>>,
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for policy in cx.model.authorization_policies() {
        let in_force = policy.refused.is_none() && !policy.dry_run;
        let rules = policy.rules().iter().filter(|_| in_force);
        let named = rules.filter_map(|rule| Some((rule.anonymous(policy.action)?, rule)));
        let mut named: Vec<_> =
            named.map(|(what, rule)| (what, callers(cx, policy, rule))).collect();
        named.sort_by_key(|((effect, _), _)| *effect);
        let open = named.iter().find_map(|((effect, at), callers)| {
            let first = callers.open.first()?;
            Some((*effect, *at, callers, first))
        });
        match open {
            Some((effect, at, callers, first)) => {
                out.push(report(policy, effect, at, callers, first));
            }
            None => closed(cx, out, policy, &named.into_iter().map(|(_, c)| c).collect::<Vec<_>>()),
        }
    }
}

fn report(
    policy: &AuthorizationPolicy,
    effect: Anonymous,
    at: Span,
    callers: &Callers<'_>,
    first: &Workload,
) -> Finding {
    let headline = format!("{} trusts identities that nobody has to show", title(&policy.id));
    let finding = CHECK.finding(&policy.id, headline).label(at, said(effect));
    let finding = match &callers.place {
        Some((at, why)) => finding.label(*at, why.clone()),
        None => finding.label(first.span, "no PeerAuthentication makes mTLS strict here"),
    };
    let open = callers.open.iter().map(|workload| Arc::clone(&workload.id));
    let finding = finding.affects(open);
    if effect == Anonymous::Refused { finding.at_most(Severity::Low) } else { finding }
}

/// A policy whose rules name no identity, or whose workloads accept mTLS alone.
fn closed(
    cx: &Context<'_>,
    out: &mut Outcomes,
    policy: &AuthorizationPolicy,
    callers: &[Callers<'_>],
) {
    let doubt = callers.iter().find_map(|callers| callers.doubt.clone());
    let strict = callers.iter().find_map(|callers| callers.strict);
    match (callers.is_empty() || policy.targeted, doubt, strict) {
        (true, ..) => out.not_applicable(),
        (false, Some(reason), _) => out.not_assessed(&CHECK, &policy.id, reason),
        (false, None, Some(at)) => out.pass(&CHECK, &policy.id, at),
        // It selects no workload of the input, and may select one that is not in it.
        (false, None, None) => match cx.model.closed(&policy.id.namespace) {
            Unknown(reason) => out.not_assessed(&CHECK, &policy.id, reason),
            Known(()) => out.not_applicable(),
        },
    }
}

const fn said(effect: Anonymous) -> &'static str {
    match effect {
        Anonymous::NotDenied => "a caller without mTLS has no such identity, so it is not denied",
        Anonymous::Admitted => "a caller without mTLS is somebody else, so it is admitted",
        Anonymous::Refused => "a caller without mTLS has no such identity, so it is refused",
    }
}

fn callers<'a>(cx: &Context<'a>, policy: &AuthorizationPolicy, rule: &AuthRule) -> Callers<'a> {
    let ports = rule.ports();
    let mesh_wide = policy.id.namespace == cx.profile.root_namespace();
    let mut found = Callers::default();
    for workload in selected(cx, policy) {
        let enrolment = cx.model.enrolment(workload);
        if mesh_wide && is_left_out(cx, workload) {
            continue;
        }
        if matches!(&enrolment, Known(e) if e.mesh == Mesh::None) {
            let why = "these pods are outside the mesh".to_owned();
            found.place = found.place.or(Some((workload.span, why)));
            found.open.push(workload);
            continue;
        }
        let mtls = match cx.model.mtls(workload) {
            Known(mtls) => mtls,
            Unknown(reason) => {
                found.doubt = Some(reason);
                continue;
            }
        };
        match (mtls.leak(ports.as_deref()), enrolment) {
            (Some((mode, at)), _) => {
                let why = format!("mode is {} here", mode.word());
                found.place = found.place.or(at.map(|at| (at, why)));
                found.open.push(workload);
            }
            (None, Unknown(reason)) => found.doubt = Some(reason),
            (None, Known(_)) => found.strict = mtls.set_by.map(|(_, at)| at).or(found.strict),
        }
    }
    found
}
