//! What a map becomes once it is closed: merge keys applied, the last of equal keys kept, and the
//! whole document refused where aliases would multiply it.

use std::collections::{HashMap, HashSet};

use super::files::{Span, narrow, slice};
use super::tree::{Entry, Role, Slot, Text};
use super::yaml::{Builder, Duplicate, Reject};

/// Most entries that merge keys may add to one document, whatever its size.
const MOST_MERGED: usize = 1_000_000;

impl Builder<'_, '_> {
    /// Applies `<<`: explicit keys win, the first of several maps wins. The merge key itself is
    /// hidden and every key that it brings is added as a reference to the anchored value.
    pub(super) fn merge(&mut self, at: u32) -> Result<(), Reject> {
        let mut sources = Vec::new();
        let mut own = Vec::new();
        let mut child = at + 1;
        while let Some(entry) = self.tree.entries.get(child as usize).copied() {
            if self.is_merge(&entry) {
                sources.extend(self.merge_sources(child)?);
                self.set_role(child, Role::Hidden);
            } else if entry.role != Role::Hidden {
                own.push(entry.key);
            }
            child = entry.next;
        }
        let strings = std::mem::take(&mut self.tree.strings);
        let name = |key: Text| slice(&strings, key.start, key.end);
        let mut present: HashSet<&str> = own.into_iter().map(name).collect();
        let mut within = Ok(());
        let brought: Vec<u32> = sources.into_iter().flat_map(|source| self.items(source)).collect();
        for source in brought {
            let entry = *self.tree.entry(source);
            if entry.role == Role::Hidden || !present.insert(name(entry.key)) {
                continue;
            }
            self.merged += 1;
            let written = self.tree.entries.len() - self.merged;
            if self.merged > self.input.limits.expansion(written).min(MOST_MERGED) {
                within = Err(Reject::Expansion { at: self.input.map.start(0) });
                break;
            }
            let next = narrow(self.tree.entries.len()) + 1;
            let reference = Entry { slot: Slot::Alias(source), next, role: Role::Merged, ..entry };
            self.tree.entries.push(reference);
        }
        self.tree.strings = strings;
        within
    }

    /// A quoted `'<<'` is an ordinary key.
    fn is_merge(&self, entry: &Entry) -> bool {
        let written_plain = entry.key_span.end - entry.key_span.start == 2;
        written_plain && self.tree.text(entry.key) == "<<"
    }

    fn set_role(&mut self, at: u32, role: Role) {
        if let Some(entry) = self.tree.entries.get_mut(at as usize) {
            entry.role = role;
        }
    }

    /// The maps that a merge value names: one map, or a list of maps.
    fn merge_sources(&self, at: u32) -> Result<Vec<u32>, Reject> {
        let target = self.follow(at);
        let is_map = |at: u32| matches!(self.tree.entry(at).slot, Slot::Map);
        if is_map(target) {
            return Ok(vec![target]);
        }
        let list = matches!(self.tree.entry(target).slot, Slot::List);
        let items: Vec<u32> = self.items(target).into_iter().map(|i| self.follow(i)).collect();
        if list && items.iter().copied().all(is_map) {
            return Ok(items);
        }
        let start = self.tree.entry(at).span.start;
        Err(Reject::syntax(start, "`<<` merges a map or a list of maps, nothing else"))
    }

    fn follow(&self, mut at: u32) -> u32 {
        while let Slot::Alias(to) = self.tree.entry(at).slot {
            at = to;
        }
        at
    }

    /// Direct children of a closed collection, hidden ones included.
    fn items(&self, at: u32) -> Vec<u32> {
        let end = self.tree.entry(at).next;
        let mut items = Vec::new();
        let mut item = at + 1;
        while item < end {
            items.push(item);
            item = self.tree.entry(item).next;
        }
        items
    }

    /// End of the last child that is written inside the collection at `at`.
    pub(super) fn end_of_children(&self, at: u32, behind: u32) -> Option<u32> {
        let mut end = None;
        let mut child = at + 1;
        while child < behind {
            let entry = self.tree.entry(child);
            if entry.role != Role::Merged {
                end = end.max(Some(entry.span.end.max(entry.key_span.end)));
            }
            child = entry.next;
        }
        end
    }

    /// Hides all but the last of equal keys and records each pair.
    pub(super) fn hide_duplicates(&mut self, at: u32) {
        let mut children = std::mem::take(&mut self.scratch);
        children.clear();
        let mut child = at + 1;
        while let Some(entry) = self.tree.entries.get(child as usize) {
            if entry.role == Role::Plain {
                children.push(child);
            }
            child = entry.next;
        }
        for (earlier, later) in self.equal_keys(&children) {
            let file = self.input.file;
            let place = |text: Text| Span { file, start: text.start, end: text.end };
            let (first, second) = (self.tree.entry(earlier), self.tree.entry(later));
            let duplicate = Duplicate {
                key: self.tree.text(second.key).to_owned(),
                first: place(first.key_span),
                second: place(second.key_span),
            };
            self.duplicates.push(duplicate);
            self.set_role(earlier, Role::Hidden);
        }
        self.scratch = children;
    }

    /// Pairs of an entry and the next one with the same key.
    fn equal_keys(&self, children: &[u32]) -> Vec<(u32, u32)> {
        let key = |at: u32| self.tree.text(self.tree.entry(at).key);
        let mut pairs = Vec::new();
        if children.len() > 16 {
            let mut seen: HashMap<&str, u32> = HashMap::with_capacity(children.len());
            for later in children {
                pairs.extend(seen.insert(key(*later), *later).map(|earlier| (earlier, *later)));
            }
            return pairs;
        }
        for (i, later) in children.iter().enumerate() {
            let name = key(*later);
            let twin = children.iter().take(i).rev().find(|earlier| key(**earlier) == name);
            pairs.extend(twin.map(|earlier| (*earlier, *later)));
        }
        pairs
    }

    /// Refuses a document whose aliases, followed everywhere, visit far more nodes than it has.
    pub(super) fn check_expansion(&self) -> Result<(), Reject> {
        let count = self.tree.entries.len();
        let limit = self.input.limits.expansion(count);
        let mut sizes = vec![1_usize; count];
        // Aliases refer backwards and children stand behind their parent, so two passes suffice:
        // the size of an anchored subtree is known before any alias to it is met.
        let mut stack: Vec<usize> = Vec::new();
        for (at, entry) in self.tree.entries.iter().enumerate() {
            while let Some(parent) = stack.last().copied() {
                let next = self.tree.entries.get(parent).map_or(0, |e| e.next as usize);
                if at < next {
                    break;
                }
                stack.pop();
                add_to_parent(&mut sizes, stack.last(), parent);
            }
            if let Slot::Alias(target) = entry.slot {
                let size = sizes.get(target as usize).copied().unwrap_or(1);
                if let Some(own) = sizes.get_mut(at) {
                    *own = own.saturating_add(size);
                }
            }
            stack.push(at);
        }
        while let Some(done) = stack.pop() {
            add_to_parent(&mut sizes, stack.last(), done);
        }
        if sizes.first().copied().unwrap_or(0) > limit {
            return Err(Reject::Expansion { at: self.input.map.start(0) });
        }
        Ok(())
    }
}

fn add_to_parent(sizes: &mut [usize], parent: Option<&usize>, child: usize) {
    let size = sizes.get(child).copied().unwrap_or(0);
    if let Some(total) = parent.and_then(|parent| sizes.get_mut(*parent)) {
        *total = total.saturating_add(size);
    }
}
