//! What a fixture cannot say of the network checks: severity, layer, certainty, and whom it affects.

use palisade::finding::{Confidence, Finding, Layer, Severity};

use crate::support::{judge, project};

/// The finding of a check on its own fixture whose headline holds a text.
fn found(slug: &str, text: &str) -> Finding {
    let fixtures = project().join("tests/checks");
    let file = fixtures.join(format!("{slug}.yaml"));
    let path = if file.is_file() { file } else { fixtures.join(slug) };
    let run = judge(&[path]);
    let findings = run.assessments.into_iter().flat_map(|assessment| assessment.findings);
    let mut of_check = findings.filter(|finding| finding.check == slug);
    of_check
        .find(|finding| finding.message.contains(text))
        .unwrap_or_else(|| panic!("{slug} says nothing of {text}"))
}

#[test]
fn a_check_speaks_lower_in_the_cases_that_its_docs_name() {
    let cases = [
        ("egress-to-world", "any address on TCP 443", Severity::High),
        ("egress-to-world", "any address on TCP 53, UDP 53", Severity::Medium),
        ("whole-namespace-peer", "`orders` admits all of another namespace", Severity::Medium),
        ("whole-namespace-peer", "`own` admits all of its own namespace", Severity::Low),
        ("peer-selects-nothing", "NetworkPolicy `desk`", Severity::Medium),
        // Another rule admits the pod that was meant: the peer is a leftover.
        ("peer-selects-nothing", "NetworkPolicy `night`", Severity::Low),
    ];
    for (slug, text, severity) in cases {
        assert_eq!(found(slug, text).severity, severity, "{slug}: {text}");
    }
}

#[test]
fn a_policy_of_the_mesh_that_selects_nothing_is_a_finding_of_the_mesh() {
    for (text, layer) in [
        ("NetworkPolicy `waiter`", Layer::Network),
        ("AuthorizationPolicy `waiter`", Layer::Mesh),
        ("PeerAuthentication `waiter`", Layer::Mesh),
    ] {
        assert_eq!(found("policy-selects-nothing", text).layer, layer, "{text}");
    }
}

#[test]
fn names_that_never_match_are_less_certain_without_a_pod() {
    for (text, confidence) in [("`mailer`", Confidence::High), ("`updaters`", Confidence::Medium)] {
        let finding = found("fqdn-rule-without-dns-proxy", text);
        assert_eq!(finding.confidence, confidence, "{text}");
    }
}

#[test]
fn a_finding_names_the_workloads_that_stay_open() {
    let cases: [(&str, &str, &[&str]); 5] = [
        ("default-deny-disabled", "`no-world`", &["mask"]),
        ("policy-allows-everything", "`web`", &["web"]),
        ("policy-allows-everything", "`later`", &[]),
        ("cloud-metadata-reachable", "`link-local`", &["parser"]),
        ("nullified-fqdn-allowlist", "`loans`", &["loans"]),
    ];
    for (slug, text, affected) in cases {
        let finding = found(slug, text);
        let names: Vec<&str> = finding.affects.iter().map(|id| id.name.as_str()).collect();
        assert_eq!(names, affected, "{slug}: {text}");
    }
}
