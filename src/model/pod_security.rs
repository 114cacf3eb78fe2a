//! The Pod Security Standards, once for every version, with a result per control.
//!
//! Source: kubernetes/pod-security-admission, `policy/check_*.go` and `policy/registry.go`. The
//! evaluator is compared with that code in `tests/it/oracles.rs`.

mod controls;
mod report;

use std::fmt;

use super::container::Pod;
use crate::document::Span;

/// The newest version whose rules are known (v1.37); later ones and `latest` mean this one.
pub const NEWEST: u32 = 37;

/// A level of the Pod Security Standards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing is refused.
    Privileged,
    /// Known ways to the node are refused.
    Baseline,
    /// Current hardening practice is demanded.
    Restricted,
}

impl Level {
    /// The word of labels and the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }

    /// The level of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let levels = [Self::Privileged, Self::Baseline, Self::Restricted];
        levels.into_iter().find(|level| level.word() == word)
    }
}

/// A version of the standards: the minor number of v1, bounded by [`NEWEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32);

impl Version {
    /// The newest known version.
    pub const LATEST: Self = Self(NEWEST);

    /// The version of a Kubernetes minor number.
    #[must_use]
    pub fn of_minor(minor: u32) -> Self {
        Self(minor.min(NEWEST))
    }

    /// Reads `latest` or `v1.N`, as namespace labels write it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "latest" {
            return Some(Self::LATEST);
        }
        let minor = text.strip_prefix("v1.")?;
        let digits = minor.bytes().all(|b| b.is_ascii_digit());
        let plain = digits && (minor.len() == 1 || !minor.starts_with('0'));
        plain.then(|| minor.parse().ok().map(Self::of_minor)).flatten()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1.{}", self.0)
    }
}

/// A setting that a control refuses, or misses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Index of the container in [`Pod::containers`]; none for the pod itself.
    pub container: Option<usize>,
    /// The field that decides, or the parent that lacks it.
    pub span: Span,
    /// The value found; empty where the field is absent.
    pub found: String,
    /// Whether a setting that has to be there is absent.
    pub missing: bool,
}

/// What a control refuses, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Short reason.
    pub reason: String,
    /// Who sets what.
    pub detail: String,
    /// Every place.
    pub violations: Vec<Violation>,
}

/// The result of one control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlResult {
    /// Upstream's id of the control.
    pub id: &'static str,
    /// Why it is refused; none where it is allowed.
    pub failure: Option<Failure>,
}

/// One form of a control: from which version on it holds.
struct Form {
    from: u32,
    judge: fn(&Pod) -> Option<Failure>,
}

struct Control {
    id: &'static str,
    level: Level,
    forms: &'static [Form],
    /// Baseline controls that this one replaces while it is in force.
    overrides: &'static [&'static str],
}

impl Control {
    fn form(&self, version: Version) -> Option<&'static Form> {
        self.forms.iter().rev().find(|form| form.from <= version.0)
    }
}

/// Evaluates every control of a level at a version, in upstream's order.
#[must_use]
pub fn evaluate(pod: &Pod, level: Level, version: Version) -> Vec<ControlResult> {
    let in_force = |wanted: Level| {
        controls::CONTROLS
            .iter()
            .filter(move |control| control.level == wanted)
            .filter_map(move |control| Some((control, control.form(version)?)))
    };
    let restricted = level == Level::Restricted;
    let overridden = |id: &str| {
        restricted
            && in_force(Level::Restricted).any(|(control, _)| control.overrides.contains(&id))
    };
    let baseline = in_force(Level::Baseline)
        .filter(|(control, _)| level >= Level::Baseline && !overridden(control.id));
    let restricted = in_force(Level::Restricted).filter(|_| restricted);
    let result = |(control, form): (&'static Control, &'static Form)| ControlResult {
        id: control.id,
        failure: (form.judge)(pod),
    };
    baseline.chain(restricted).map(result).collect()
}

/// Evaluates one control by itself, whatever a level would replace it with. `None` where the
/// version does not have it.
#[must_use]
pub fn control(pod: &Pod, id: &str, version: Version) -> Option<Option<Failure>> {
    let control = controls::CONTROLS.iter().find(|control| control.id == id)?;
    Some((control.form(version)?.judge)(pod))
}

/// The refusal of a pod in upstream's words; `None` where it is allowed.
#[must_use]
pub fn refusal(results: &[ControlResult]) -> Option<String> {
    let failures = results.iter().filter_map(|result| result.failure.as_ref());
    let parts: Vec<String> = failures
        .map(|f| {
            if f.detail.is_empty() {
                f.reason.clone()
            } else {
                format!("{} ({})", f.reason, f.detail)
            }
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
