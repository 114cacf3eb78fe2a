//! What a map becomes once it is closed: merge keys applied, the last of equal keys kept, and the
//! whole document refused where aliases would multiply it or where a value has no JSON form.

use std::collections::HashMap;

use super::files::{Span, narrow};
use super::parse::{Duplicate, Reject};
use super::tree::{Entry, Role, Slot, Text, Value};
use super::yaml::Builder;

/// Most levels of a document whose aliases are followed: the parser's limit of nested flow and
/// block collections together.
const DEEPEST: usize = 512;

/// Most entries that merge keys may add to one document, whatever its size.
const MOST_MERGED: usize = 1_000_000;

/// Which entry of a map each key has, while its merge keys are applied.
#[derive(Default)]
struct Winners<'k> {
    keys: HashMap<&'k str, Winner>,
    /// Entries of other maps that merges brought, less those that lost again.
    brought: Vec<Option<u32>>,
    /// Entries of the map itself that a merge overrides.
    overridden: Vec<u32>,
    merges: u32,
}

#[derive(Clone, Copy)]
enum Winner {
    Own(u32),
    /// Place in the list of what was brought, and by which merge.
    Brought(usize, u32),
}

impl<'k> Winners<'k> {
    fn begin_merge(&mut self) {
        self.merges += 1;
    }

    fn own(&mut self, key: &'k str, entry: u32) {
        if let Some(Winner::Brought(at, _)) = self.keys.insert(key, Winner::Own(entry)) {
            self.drop_brought(at);
        }
    }

    fn brought(&mut self, key: &'k str, entry: u32) {
        match self.keys.get(key).copied() {
            Some(Winner::Brought(_, merge)) if merge == self.merges => return,
            Some(Winner::Brought(at, _)) => self.drop_brought(at),
            Some(Winner::Own(own)) => self.overridden.push(own),
            None => {}
        }
        self.keys.insert(key, Winner::Brought(self.brought.len(), self.merges));
        self.brought.push(Some(entry));
    }

    fn drop_brought(&mut self, at: usize) {
        if let Some(lost) = self.brought.get_mut(at) {
            *lost = None;
        }
    }
}

impl Builder<'_, '_> {
    /// Applies the merge keys of a map as clients do, in the order of the text: what comes later
    /// wins, be it a merge key or a key of the map itself; of several maps under one merge key the
    /// first wins. Each key that a merge brings is added as a reference to the anchored value.
    pub(super) fn merge(&mut self, at: u32, merges: &[u32]) -> Result<(), Reject> {
        let mut children: Vec<u32> = Vec::new();
        let mut child = at + 1;
        while let Some(entry) = self.tree.entries.get(child as usize) {
            if entry.role == Role::Plain || merges.binary_search(&child).is_ok() {
                children.push(child);
            }
            child = entry.next;
        }
        let mut winners = Winners::default();
        for child in children {
            if merges.binary_search(&child).is_err() {
                winners.own(self.tree.text(self.tree.entry(child).key), child);
                continue;
            }
            winners.begin_merge();
            for source in self.merge_sources(child)? {
                for item in self.items(source) {
                    let entry = self.tree.entry(item);
                    if entry.role != Role::Hidden {
                        winners.brought(self.tree.text(entry.key), item);
                    }
                }
            }
            let written = self.tree.entries.len() - self.merged;
            let limit = self.input.limits.expansion(written).min(MOST_MERGED);
            if self.merged + winners.brought.len() > limit {
                return Err(Reject::Expansion { at: self.input.map.start(0) });
            }
        }
        let Winners { brought, overridden, .. } = winners;
        for own in overridden {
            self.set_role(own, Role::Hidden);
        }
        for source in brought.into_iter().flatten() {
            let entry = *self.tree.entry(source);
            self.merged += 1;
            let next = narrow(self.tree.entries.len()) + 1;
            let reference = Entry { slot: Slot::Alias(source), next, role: Role::Merged, ..entry };
            self.tree.entries.push(reference);
        }
        Ok(())
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
        let reason = "`<<` merges a map or a list of maps, nothing else";
        Err(Reject::syntax(start, reason, "give `<<` an alias of a map, or quote the key"))
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

    /// Refuses a document that holds infinity or what is no number: clients send JSON.
    pub(super) fn check_json(&self) -> Result<(), Reject> {
        let mut open = vec![self.tree.root()];
        let mut first: Option<(u32, &str)> = None;
        while let Some(node) = open.pop() {
            if let Value::Float(value) = node.value()
                && !value.is_finite()
            {
                let word = if value.is_nan() { ".nan" } else { ".inf" };
                let at = node.span().start;
                first = Some(first.map_or((at, word), |first| first.min((at, word))));
            }
            open.extend(node.children());
        }
        first.map_or(Ok(()), |(at, word)| {
            let reason = format!("`{word}` has no JSON form");
            Err(Reject::syntax(at, reason, "write a number, or quote it"))
        })
    }

    /// Refuses a document whose aliases, followed everywhere, visit far more nodes than it has, or
    /// nest them deeper than a document may be nested without aliases.
    pub(super) fn check_expansion(&self) -> Result<(), Reject> {
        let count = self.tree.entries.len();
        let limit = self.input.limits.expansion(count);
        let mut sizes = vec![Size { nodes: 1, depth: 1 }; count];
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
                let target = sizes.get(target as usize).copied().unwrap_or_default();
                if let Some(own) = sizes.get_mut(at) {
                    own.nodes = own.nodes.saturating_add(target.nodes);
                    own.depth = own.depth.max(target.depth);
                }
            }
            stack.push(at);
        }
        while let Some(done) = stack.pop() {
            add_to_parent(&mut sizes, stack.last(), done);
        }
        let whole = sizes.first().copied().unwrap_or_default();
        if whole.nodes > limit || whole.depth > DEEPEST {
            return Err(Reject::Expansion { at: self.input.map.start(0) });
        }
        Ok(())
    }
}

/// What a subtree is when its aliases are followed.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    depth: usize,
}

fn add_to_parent(sizes: &mut [Size], parent: Option<&usize>, child: usize) {
    let size = sizes.get(child).copied().unwrap_or_default();
    if let Some(whole) = parent.and_then(|parent| sizes.get_mut(*parent)) {
        whole.nodes = whole.nodes.saturating_add(size.nodes);
        whole.depth = whole.depth.max(size.depth + 1);
    }
}
