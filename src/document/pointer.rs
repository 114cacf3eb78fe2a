//! The path of a value inside its object.

use std::fmt;

use super::files::Span;
use super::tree::{Node, Tree, Value};

/// One step of a [`Pointer`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A key of a map.
    Key(String),
    /// A place in a list, and the item's `name` if it has one.
    Item(usize, Option<String>),
}

/// Keys and list places that lead from an object to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(Vec<Step>);

impl Pointer {
    /// The path to the innermost value that encloses `span`.
    #[must_use]
    pub fn of(tree: &Tree, root: u32, span: Span) -> Self {
        let mut steps = Vec::new();
        let mut at = tree.node(root);
        loop {
            let is_list = matches!(at.value(), Value::List);
            let Some((index, child)) = at.child_at(span) else { break };
            steps.push(if is_list {
                let name = child.get("name").and_then(Node::as_str).map(str::to_owned);
                Step::Item(index, name)
            } else {
                Step::Key(child.key().to_owned())
            });
            if child.key_span().is_some_and(|key| key.contains(span)) {
                break;
            }
            at = child;
        }
        Self(steps)
    }

    /// The path to the value that stands at `span`, in a tree whose parts stand anywhere: the
    /// innermost one that encloses the place.
    #[must_use]
    pub fn of_part(tree: &Tree, root: u32, span: Span) -> Self {
        let mut best: Option<(u32, Vec<Step>)> = None;
        search(tree.node(root), span, &mut Vec::new(), &mut best);
        Self(best.map(|(_, steps)| steps).unwrap_or_default())
    }

    /// The path with items called by their name, which survives moves and insertions.
    #[must_use]
    pub fn stable(&self) -> String {
        let mut text = String::new();
        for step in &self.0 {
            text.push('/');
            match step {
                Step::Key(key) => text.push_str(key),
                Step::Item(_, Some(name)) => {
                    text.push_str("name=");
                    text.push_str(name);
                }
                Step::Item(index, None) => text.push_str(&index.to_string()),
            }
        }
        text
    }
}

/// Finds the shortest part below `node` that encloses `span`.
fn search(node: Node<'_>, span: Span, path: &mut Vec<Step>, best: &mut Option<(u32, Vec<Step>)>) {
    let is_list = matches!(node.value(), Value::List);
    for (index, child) in node.children().enumerate() {
        path.push(if is_list {
            let name = child.get("name").and_then(Node::as_str).map(str::to_owned);
            Step::Item(index, name)
        } else {
            Step::Key(child.key().to_owned())
        });
        let places = [Some(child.span()), child.key_span()];
        for place in places.into_iter().flatten().filter(|place| place.contains(span)) {
            let length = place.end - place.start;
            if best.as_ref().is_none_or(|(shortest, _)| length < *shortest) {
                *best = Some((length, path.clone()));
            }
        }
        search(child, span, path, best);
        path.pop();
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if i == 0 => write!(f, "{key}")?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(index, _) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
