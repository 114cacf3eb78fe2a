//! Workloads and namespaces by their labels, so that a selector is compared with those only that it
//! may match. What comes out is always a superset in the order of the model: whether a selector
//! does match is decided by [`Selector::matches`] alone.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

use super::meta::Label;
use super::namespace::NAME_LABEL;
use super::selector::{Operator, Requirement, Selector};
use super::workload::Workload;
use super::{Model, Part};

/// Where the workloads that are looked for lie.
#[derive(Clone, Debug)]
pub(crate) enum Places<'s> {
    /// In these namespaces.
    Named(Vec<&'s str>),
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
            open |= is_variable(value);
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
            let key = key_of(key)?;
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

/// No label value holds a dollar sign: it is a variable that nobody has filled in.
fn is_variable(text: &str) -> bool {
    text.contains('$')
}

/// Key and values of a requirement that only certain values meet.
fn wanted(requirement: &Requirement) -> Option<(&str, &[String])> {
    let certain = requirement.operator == Operator::In
        && !requirement.values.iter().any(|value| is_variable(value));
    certain.then_some((requirement.key.as_str(), requirement.values.as_slice()))
}

/// Finds workloads by namespace and labels.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Parts in the order of [`Model::every`], each with the numbers of its workloads.
    parts: Vec<(Range<u32>, Arc<Part>)>,
    /// Number of workloads that no later object replaces; they come first.
    in_force: u32,
    labels: ByLabel,
    /// Numbers of parts by the names of their namespaces.
    names: ByLabel,
    /// Numbers of parts by the labels of their namespaces.
    namespaces: ByLabel,
}

impl Index {
    /// Numbers the workloads of all parts: those in force, then replaced ones.
    pub(super) fn new<'m>(
        in_force: impl Iterator<Item = (&'m String, &'m Arc<Part>)>,
        replaced: impl Iterator<Item = (&'m String, &'m Arc<Part>)>,
    ) -> Self {
        let mut index = Self::default();
        in_force.for_each(|(name, part)| index.take(name, part, true));
        index.in_force = index.next();
        replaced.for_each(|(name, part)| index.take(name, part, false));
        index
    }

    fn next(&self) -> u32 {
        self.parts.last().map_or(0, |(range, _)| range.end)
    }

    fn take(&mut self, name: &str, part: &Arc<Part>, in_force: bool) {
        let at = narrow(self.parts.len());
        let first = self.next();
        self.names.insert_all(at, std::iter::once((NAME_LABEL, name)), !in_force);
        match part.namespace.as_ref().filter(|_| in_force) {
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
            Places::Named(names) => {
                for name in names {
                    let hash = self.names.hasher.hash_one((NAME_LABEL, *name));
                    found.extend(self.names.numbers.get(&hash).into_iter().flatten());
                }
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
    /// The numbers of the workloads at `places` that a selector may match, in the order of the
    /// model: those in force before replaced ones. `key_of` gives the label that a key of the
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
        match selector.map(|selector| selector.requirements.iter().find_map(wanted)) {
            Some(Some((key, values))) => {
                values.iter().for_each(|value| self.labels.insert(number, key, value));
            }
            Some(None) => self.labels.open.push(number),
            None => self.wide.push(number),
        }
    }

    /// Numbers of the objects without a selector.
    pub(super) fn wide(&self) -> &[u32] {
        &self.wide
    }

    /// Numbers of the objects whose selector may match a workload, in order; some that do not match
    /// may be among them.
    pub(super) fn may_match(&self, workload: &Workload) -> Vec<u32> {
        let labels = &workload.labels;
        if workload.labels_are_open() || labels.iter().any(|label| is_variable(&label.value)) {
            return (0..self.count).collect();
        }
        let under = |label: &Label| {
            let hash = self.labels.hasher.hash_one(pair(label));
            self.labels.numbers.get(&hash).into_iter().flatten().copied()
        };
        let mut found: Vec<u32> = labels.iter().flat_map(under).collect();
        found.extend(&self.labels.open);
        found.sort_unstable();
        found.dedup();
        found
    }
}
