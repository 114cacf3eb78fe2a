use std::sync::Arc;

use super::credentials::describe;
use crate::catalog::{CellRole, Context, Outcomes, check};
use crate::document::Kind;
use crate::finding::{Finding, Layer, Persona, Severity};
use crate::model::{Argument, Container, EnvValue, EnvVar, Workload};

check! {
    /// Flags secrets that reach a process as arguments.
    ///
    /// ## Why it matters
    /// Arguments are visible to every process of the node that may list processes, to whoever may
    /// read the pod, and in crash reports and audit logs.
    ///
    /// ## Fix
    /// Let the program read the value from a mounted file, or at least from its environment. A
    /// literal value has to be changed, too.
    ///
    /// ## Known gaps
    /// Literal values are found by their shape and by the flag before them. Of values from Secrets
    /// `$(NAME)` is seen, which Kubernetes expands, and `--flag=$NAME` or `--flag $NAME` inside a
    /// shell script. Short flags are known of a few programs (`redis-cli -a`, `mysql -p...`).
    "secret-in-arguments" {
        run: find,
        title: "secret is passed as argument",
        layer: Layer::Application,
        cell: CellRole::Judges,
        severity: Severity::Medium,
        persona: Persona::Regular,
        reads: &[Kind::Pod],
        fix: "let the program read the value from a mounted file",
        aliases: &[],
    }
}

fn find(cx: &Context<'_>, out: &mut Outcomes) {
    for workload in cx.model.workloads() {
        let before = out.findings.len();
        for container in &workload.pod.containers {
            for argument in &container.arguments {
                out.findings.extend(judge(workload, container, argument));
            }
        }
        if out.findings.len() == before {
            out.pass(&CHECK, &workload.id, workload.span);
        }
    }
}

fn judge(workload: &Workload, container: &Container, argument: &Argument) -> Option<Finding> {
    let who = container.title();
    let finding = |headline: String| {
        CHECK
            .finding(&workload.id, headline)
            .container(&container.name)
            .affects([Arc::clone(&workload.id)])
    };
    if let Some(credential) = argument.credential {
        let label = format!("{} is written here", describe(credential));
        let headline = format!("{who} has a secret among its arguments");
        return Some(finding(headline).label(argument.span, label));
    }
    let of_secret = |variable: &&EnvVar| matches!(variable.value, EnvValue::Secret(_));
    let variable =
        container.env.iter().filter(of_secret).find(|v| expands(&argument.text, &v.name))?;
    let name = &variable.name;
    let headline = format!("{who} passes the secret in `{name}` as argument");
    let label = "its value is part of the command line here";
    let source = "and comes from a Secret here";
    Some(finding(headline).label(argument.span, label).label(variable.name_span, source))
}

/// Whether a long flag that waits for its value stands last. Short ones are as often those of `test`,
/// which the shell runs itself.
fn ends_with_flag(text: &str) -> bool {
    let last = text.split_whitespace().next_back().unwrap_or_default();
    last.len() > 2 && last.starts_with("--") && !last.contains('=')
}

/// Whether a variable's value becomes part of a command line: `$(NAME)` by Kubernetes, or a shell
/// variable behind a flag.
fn expands(text: &str, name: &str) -> bool {
    if text.contains(&format!("$({name})")) {
        return true;
    }
    ["$", "${"].iter().any(|sign| {
        let variable = format!("{sign}{name}");
        let mut places = text.match_indices(&variable);
        places.any(|(at, found)| {
            let before = text.get(..at).unwrap_or_default().trim_end_matches(['"', '\'']);
            let behind = text.get(at + found.len()..).and_then(|rest| rest.chars().next());
            let whole = behind.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
            let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
            let attached = word.starts_with("--") && word.ends_with('=');
            whole && (attached || word.is_empty() && ends_with_flag(before))
        })
    })
}
