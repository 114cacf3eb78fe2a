use std::sync::Arc;

use super::evidence::title;
use super::selected;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::{Kind, Span};
use crate::finding::{Layer, Persona, Severity};
use crate::model::{Action, AuthorizationPolicy, Known, MtlsMode};

check! {
    /// Flags rules about identities on workloads that accept callers without one.
    ///
    /// ## Why it matters
    /// Principals and namespaces come from the client's certificate. Over plaintext there is none: a
    /// DENY rule for an identity does not match such a caller, who gets in.
    ///
    /// ## Fix
    /// Set mTLS to STRICT for these workloads.
    ///
    /// ## Known gaps
    /// An ALLOW rule refuses plaintext callers, as they match no identity: it is reported as low,
    /// because callers outside the mesh are cut off without notice.
    "identity-rule-without-mtls" {
        run: find,
        title: "identity rule without enforced mTLS",
        layer: Layer::Mesh,
        cell: CellRole::Judges,
        severity: Severity::High,
        persona: Persona::Regular,
        reads: &[Kind::AuthorizationPolicy, Kind::Pod, Kind::PeerAuthentication],
        fix: "set `spec.mtls.mode: STRICT` for these workloads",
        aliases: &[("kiali", "KIA0105")],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for policy in cx.model.authorization_policies() {
        let judged = matches!(policy.action, Action::Allow | Action::Deny) && !policy.dry_run;
        let Some(identity) = identity(policy).filter(|_| judged) else {
            out.not_applicable();
            continue;
        };
        let mut open = Vec::new();
        let mut mode_place = None;
        let mut strict = None;
        let mut doubt = None;
        for workload in selected(cx, policy) {
            match cx.model.mtls(workload) {
                Known(mtls) if mtls.mode == MtlsMode::Strict => {
                    strict = mtls.set_by.map(|(_, at)| at);
                }
                Known(mtls) => {
                    mode_place = mode_place.or(mtls.set_by.map(|(_, at)| (at, mtls.mode)));
                    open.push(workload);
                }
                crate::model::Unknown(reason) => doubt = Some(reason),
            }
        }
        let Some(first) = open.first() else {
            match (strict, doubt) {
                (Some(at), _) => out.pass(&CHECK, &policy.id, at),
                (None, Some(reason)) => out.not_assessed(&CHECK, &policy.id, reason),
                (None, None) => out.not_applicable(),
            }
            continue;
        };
        let headline = format!("{} trusts identities that nobody has to show", title(&policy.id));
        let finding = CHECK
            .finding(&policy.id, headline)
            .label(identity, "a caller without mTLS has no such identity");
        let finding = match mode_place {
            Some((at, mode)) => finding.label(at, format!("mode is {} here", mode.word())),
            None => finding.label(first.span, "no PeerAuthentication makes mTLS strict here"),
        };
        let finding = finding.affects(open.iter().map(|workload| Arc::clone(&workload.id)));
        let allow = policy.action == Action::Allow;
        out.push(if allow { finding.at_most(Severity::Low) } else { finding });
    }
}

/// The first identity that a rule of the policy names.
fn identity(policy: &AuthorizationPolicy) -> Option<Span> {
    policy.rules().iter().find_map(|rule| {
        let named = rule.principals.iter().chain(&rule.namespaces).chain(&rule.service_accounts);
        named.map(|identity| identity.span).next()
    })
}
