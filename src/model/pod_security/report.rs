//! Collecting who violates a control, and wording it as upstream does.

use std::collections::BTreeSet;

use super::{Failure, Violation};
use crate::document::Span;
use crate::model::container::{Container, Pod};

/// Names in quotes, joined by commas.
pub(super) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("\"{name}\"")).collect();
    names.join(", ")
}

/// The word for one or for several.
pub(super) const fn plural(one: &'static str, many: &'static str, count: usize) -> &'static str {
    if count == 1 { one } else { many }
}

/// Who sets a refused value: the pod, containers, annotations.
pub(super) struct Setters<'p> {
    pod: &'p Pod,
    pod_sets: bool,
    containers: Vec<usize>,
    values: BTreeSet<String>,
    violations: Vec<Violation>,
}

impl<'p> Setters<'p> {
    pub(super) fn new(pod: &'p Pod) -> Self {
        Self {
            pod,
            pod_sets: false,
            containers: Vec::new(),
            values: BTreeSet::new(),
            violations: Vec::new(),
        }
    }

    /// Looks at every container, in upstream's order.
    pub(super) fn visit(mut self, mut look: impl FnMut(&mut Self, usize, &'p Container)) -> Self {
        for (index, container) in self.pod.containers.iter().enumerate() {
            look(&mut self, index, container);
        }
        self
    }

    pub(super) fn pod(&mut self, span: Span, value: &str) {
        self.pod_sets = true;
        self.value(None, span, value);
    }

    pub(super) fn container(&mut self, index: usize, span: Span, value: &str) {
        if self.containers.last() != Some(&index) {
            self.containers.push(index);
        }
        self.value(Some(index), span, value);
    }

    /// A container that lacks a setting which has to be there.
    pub(super) fn lacks(&mut self, index: usize, span: Span) {
        self.containers.push(index);
        let violation =
            Violation { container: Some(index), span, found: String::new(), missing: true };
        self.violations.push(violation);
    }

    fn value(&mut self, container: Option<usize>, span: Span, value: &str) {
        self.values.insert(value.to_owned());
        let found = value.to_owned();
        self.violations.push(Violation { container, span, found, missing: false });
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.pod_sets && self.containers.is_empty()
    }

    /// `container "a"` or `containers "a", "b"`.
    pub(super) fn containers(&self) -> String {
        let names = self.containers.iter().filter_map(|i| self.pod.containers.get(*i));
        let names = quoted(names.map(|container| container.name.as_str()));
        format!("{} {names}", plural("container", "containers", self.containers.len()))
    }

    /// The containers with names sorted and each once.
    pub(super) fn container_set(&self) -> (String, usize) {
        let names = self.containers.iter().filter_map(|i| self.pod.containers.get(*i));
        let names: BTreeSet<&str> = names.map(|container| container.name.as_str()).collect();
        let count = names.len();
        (format!("{} {}", plural("container", "containers", count), quoted(names)), count)
    }

    /// `pod`, then the containers, joined by `and`.
    pub(super) fn setters(&self) -> Vec<String> {
        let pod = self.pod_sets.then(|| "pod".to_owned());
        let containers = (!self.containers.is_empty()).then(|| self.containers());
        pod.into_iter().chain(containers).collect()
    }

    pub(super) fn count(&self) -> usize {
        self.containers.len()
    }

    /// The refused values, sorted, each once.
    pub(super) fn values(&self) -> &BTreeSet<String> {
        &self.values
    }

    pub(super) fn quoted_values(&self) -> String {
        quoted(self.values.iter().map(String::as_str))
    }

    /// The failure, with every place.
    pub(super) fn fail(self, reason: impl Into<String>, detail: String) -> Failure {
        Failure { reason: reason.into(), detail, violations: self.violations }
    }

    pub(super) fn into_violations(self) -> Vec<Violation> {
        self.violations
    }
}
