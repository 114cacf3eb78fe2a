//! Workloads and namespaces by their labels, so that a selector is compared with those only that it
//! may match. What comes out is always a superset in the order of the model: whether a selector
//! does match is decided by [`Selector::matches`] alone.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

use super::meta::Label;
use super::namespace::NAME_LABEL;
use super::selector::{Operator, Requirement, Selector, is_open};
use super::workload::{Workload, is_given};
use super::{Model, Part};
use crate::document::NamespaceSource;

/// Where the workloads that are looked for lie.
#[derive(Clone, Debug)]
pub(crate) enum Places<'s> {
    /// In this namespace.
    Named(&'s str),
    /// In namespaces that a selector matches.
    Matching(&'s Selector),
    /// Anywhere.
    Anywhere,
}

/// Numbers by label, ascending. A requirement for certain values of a key is met by the numbers
/// under them, and may be met by the open ones; certainly by no other.
#[derive(Debug, Default)]
struct ByLabel {
    /// By the hash of key and value: two labels of one hash only make a list longer.
    numbers: HashMap<u64, Vec<u32>>,
    /// Those with labels that nobody knows.
    open: Vec<u32>,
    hasher: RandomState,
}

impl ByLabel {
    fn insert(&mut self, number: u32, key: &str, value: &str) {
        let hash = self.hasher.hash_one((key, value));
        let numbers = self.numbers.entry(hash).or_default();
        if numbers.last() != Some(&number) {
            numbers.push(number);
        }
    }

    fn insert_all<'l>(
        &mut self,
        number: u32,
        labels: impl Iterator<Item = (&'l str, &'l str)>,
        open: bool,
    ) {
        let mut open = open;
        for (key, value) in labels {
            self.insert(number, key, value);
            open |= is_open(value);
        }
        if open {
            self.open.push(number);
        }
    }

    /// The numbers of `range` that may meet the requirement of the selector that is met by the
    /// fewest; all of them where none of its requirements asks for values. `key_of` gives the label
    /// that a key of the selector stands for, if it stands for one.
    fn candidates<'r>(
        &self,
        range: &Range<u32>,
        requirements: &'r [Requirement],
        key_of: impl Fn(&'r str) -> Option<&'r str>,
    ) -> Candidates<'_> {
        let part_of = |numbers: &'_ [u32]| {
            let start = numbers.partition_point(|number| *number < range.start);
            let end = numbers.partition_point(|number| *number < range.end);
            start..end
        };
        let under = |key: &str, value: &str| {
            let numbers = self.numbers.get(&self.hasher.hash_one((key, value)));
            numbers.map_or(&[][..], |numbers| numbers.get(part_of(numbers)).unwrap_or_default())
        };
        let lists = requirements.iter().filter_map(|requirement| {
            let (key, values) = wanted(requirement)?;
            // A label that a controller gives need not be written.
            let key = key_of(key).filter(|key| !is_given(key))?;
            let lists: Vec<&[u32]> = values.iter().map(|value| under(key, value)).collect();
            Some((lists.iter().map(|list| list.len()).sum::<usize>(), lists))
        });
        match lists.min_by_key(|(length, _)| *length) {
            None => Candidates::Range(range.clone()),
            Some((_, mut lists)) => {
                lists.push(self.open.get(part_of(&self.open)).unwrap_or_default());
                Candidates::Lists(lists)
            }
        }
    }
}

enum Candidates<'i> {
    Range(Range<u32>),
    Lists(Vec<&'i [u32]>),
}

impl Candidates<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Range(range) => range.len(),
            Self::Lists(lists) => lists.iter().map(|list| list.len()).sum(),
        }
    }

    fn append_to(self, found: &mut Vec<u32>) {
        match self {
            Self::Range(range) => found.extend(range),
            Self::Lists(lists) => found.extend(lists.into_iter().flatten()),
        }
    }
}

fn pair(label: &Label) -> (&str, &str) {
    (&label.key, &label.value)
}

/// Key and values of a requirement that only certain values meet.
fn wanted(requirement: &Requirement) -> Option<(&str, &[String])> {
    let certain = requirement.operator == Operator::In
        && !requirement.values.iter().any(|value| is_open(value));
    certain.then_some((requirement.key.as_str(), requirement.values.as_slice()))
}

/// Finds workloads by namespace and labels.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Parts in the order of the model, each with the numbers of its workloads.
    parts: Vec<(Range<u32>, Arc<Part>)>,
    labels: ByLabel,
    /// Numbers of parts by the names of their namespaces.
    names: ByLabel,
    /// Numbers of parts by the labels of their namespaces.
    namespaces: ByLabel,
}

impl Index {
    /// Numbers the workloads of all parts.
    pub(super) fn new<'m>(parts: impl Iterator<Item = (&'m String, &'m Arc<Part>)>) -> Self {
        let mut index = Self::default();
        parts.for_each(|(name, part)| index.take(name, part));
        index
    }

    fn next(&self) -> u32 {
        self.parts.last().map_or(0, |(range, _)| range.end)
    }

    fn take(&mut self, name: &str, part: &Arc<Part>) {
        let at = narrow(self.parts.len());
        let first = self.next();
        // Workloads whose namespace is assumed may lie in any.
        let assumed = |w: &Workload| w.namespace == NamespaceSource::Assumed;
        let open = part.workloads.iter().any(assumed);
        self.names.insert_all(at, std::iter::once((NAME_LABEL, name)), open);
        match part.namespace.as_ref().filter(|_| !open) {
            Some(namespace) => {
                self.namespaces.insert_all(at, namespace.labels.iter().map(pair), false);
            }
            None => self.namespaces.open.push(at),
        }
        let mut number = first;
        for workload in &part.workloads {
            let labels = workload.labels.iter().map(pair);
            self.labels.insert_all(number, labels, workload.labels_are_open());
            number += 1;
        }
        self.parts.push((first..number, Arc::clone(part)));
    }

    /// Numbers of the parts at `places`; none where that is all of them.
    fn parts_at(&self, places: &Places<'_>) -> Option<Vec<u32>> {
        let all = 0..narrow(self.parts.len());
        let mut found = Vec::new();
        match places {
            Places::Anywhere => return None,
            Places::Named(name) => {
                let hash = self.names.hasher.hash_one((NAME_LABEL, *name));
                found.extend(self.names.numbers.get(&hash).into_iter().flatten());
                found.extend(&self.names.open);
            }
            Places::Matching(selector) => {
                let requirements = selector.requirements.as_slice();
                let name = |key| (key == NAME_LABEL).then_some(key);
                let label = |key| (key != NAME_LABEL).then_some(key);
                let by_name = self.names.candidates(&all, requirements, name);
                let by_label = self.namespaces.candidates(&all, requirements, label);
                let fewest = if by_name.len() <= by_label.len() { by_name } else { by_label };
                if let Candidates::Range(_) = fewest {
                    return None;
                }
                fewest.append_to(&mut found);
            }
        }
        found.sort_unstable();
        found.dedup();
        Some(found)
    }
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Model {
    /// The numbers of the workloads in force at `places` that a selector may match, in the order of
    /// [`Model::workloads`]. `key_of` gives the label that a key of the
    /// selector stands for, if it stands for one.
    pub(crate) fn may_match<'s>(
        &self,
        places: &Places<'_>,
        selector: Option<&'s Selector>,
        key_of: impl Fn(&'s str) -> Option<&'s str>,
    ) -> Vec<u32> {
        let index = &self.index;
        let requirements = selector.map_or(&[][..], |selector| selector.requirements.as_slice());
        let anywhere = index.labels.candidates(&(0..index.next()), requirements, &key_of);
        let mut found = Vec::new();
        match index.parts_at(places).filter(|parts| parts.len() < anywhere.len()) {
            None => anywhere.append_to(&mut found),
            Some(parts) => {
                for (range, _) in parts.iter().filter_map(|at| index.parts.get(*at as usize)) {
                    let here = index.labels.candidates(range, requirements, &key_of);
                    here.append_to(&mut found);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// A workload by its number.
    pub(crate) fn workload(&self, number: u32) -> Option<&Workload> {
        let parts = &self.index.parts;
        let at = parts.partition_point(|(range, _)| range.end <= number);
        let (range, part) = parts.get(at)?;
        part.workloads.get(number.checked_sub(range.start)? as usize)
    }
}

/// Objects of one kind by a label that their selector asks for.
#[derive(Debug, Default)]
pub(super) struct BySelector {
    labels: ByLabel,
    /// Those without a selector.
    wide: Vec<u32>,
    count: u32,
}

impl BySelector {
    /// Takes the next object.
    pub(super) fn push(&mut self, selector: Option<&Selector>) {
        let number = self.count;
        self.count += 1;
        let certain = |r: &'_ Requirement| wanted(r).filter(|(key, _)| !is_given(key)).is_some();
        match selector
            .map(|selector| selector.requirements.iter().find(|r| certain(r)).and_then(wanted))
        {
            Some(Some((key, values))) => {
                values.iter().for_each(|value| self.labels.insert(number, key, value));
            }
            Some(None) => self.labels.open.push(number),
            None => self.wide.push(number),
        }
    }

    /// Numbers of the objects without a selector, and of those whose selector may match a workload,
    /// in order; some that do not match may be among them.
    pub(super) fn may_match(&self, workload: &Workload) -> Vec<u32> {
        let labels = &workload.labels;
        if workload.labels_are_open() || labels.iter().any(|label| is_open(&label.value)) {
            return (0..self.count).collect();
        }
        let under = |label: &Label| {
            let hash = self.labels.hasher.hash_one(pair(label));
            self.labels.numbers.get(&hash).into_iter().flatten().copied()
        };
        let mut found: Vec<u32> = labels.iter().flat_map(under).collect();
        found.extend(self.labels.open.iter().chain(&self.wide));
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::Places;
    use crate::config::Profile;
    use crate::document::{FileId, Inventory, ReadOptions, RootKind, Span, read};
    use crate::model::{Home, Lookup, Model, NAME_LABEL, Operator, Requirement, Selector, Truth};

    const OBJECTS: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {tier: gold}}
---
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop, labels: {app: a, job-name: x}}
spec: {containers: [{name: main, image: a}]}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: bank, labels: {app: '${NAME}'}}
spec: {containers: [{name: main, image: a}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: x, namespace: shop}
spec: {template: {metadata: {labels: {app: b}}, spec: {containers: [{name: main, image: a}]}}}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: k, namespace: bank}
spec: {template: {spec: {containers: [{image: a}]}}}
---
apiVersion: example.com/v1
kind: Thing
metadata: {name: t, namespace: shop}
spec: {template: {spec: {containers: [{name: main, image: a}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: anywhere, labels: {app: a}}
spec: {containers: [{name: main, image: a}]}
";

    fn asks(key: &str, operator: Operator, values: &[&str]) -> Selector {
        let span = Span { file: FileId(0), start: 0, end: 0 };
        let requirement = Requirement {
            key: key.to_owned(),
            operator,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            span,
            key_span: span,
            label: true,
        };
        Selector { requirements: vec![requirement], span, broken: None }
    }

    #[test]
    fn nothing_that_a_selector_may_match_is_left_out() {
        let reading = read(FileId(0), OBJECTS, &ReadOptions::default());
        let inventory = Inventory::new(
            String::new(),
            RootKind::Directory,
            reading.documents,
            Vec::new(),
            Vec::new(),
        );
        let model = Model::build(&inventory, &Profile::default());
        assert_eq!(model.workloads().count(), 6);
        let mut selectors = Vec::new();
        for key in ["app", "job-name", "serving.knative.dev/service", "tier", "none", NAME_LABEL] {
            for value in ["a", "b", "x", "k", "gold", "shop", "bank", "${NAME}"] {
                selectors.push(asks(key, Operator::In, &[value]));
                selectors.push(asks(key, Operator::In, &[value, "other"]));
                selectors.push(asks(key, Operator::NotIn, &[value]));
            }
            selectors.push(asks(key, Operator::Exists, &[]));
        }
        let mut narrowed = 0;
        for pods in &selectors {
            let mut places = vec![Places::Anywhere, Places::Named("shop"), Places::Named("gone")];
            places.extend(selectors.iter().map(Places::Matching));
            for place in places {
                let found = model.may_match(&place, Some(pods), Some);
                narrowed += usize::from(found.len() < 6);
                for (number, workload) in (0..).zip(model.workloads()) {
                    let here = match &place {
                        Places::Anywhere => Truth::Yes,
                        Places::Named(name) => Home::named(name).is(&workload.home()),
                        Places::Matching(s) => model.selects_namespace_of(s, workload),
                    };
                    let fits = here.and(pods.matches(|key| workload.label(key)));
                    assert!(
                        fits == Truth::No || found.contains(&number),
                        "{} of {place:?} by {:?}",
                        workload.id,
                        pods.requirements
                    );
                    assert_eq!(model.workload(number).map(|w| &w.id), Some(&workload.id));
                }
            }
        }
        assert!(narrowed > 1_000, "{narrowed} answers are narrower than everything");
        let unknown = model.workloads().filter(|w| w.label("app") == Lookup::Unknown).count();
        assert_eq!(unknown, 2, "the index is tried with labels that nobody knows");
    }
}
