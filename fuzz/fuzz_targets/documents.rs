//! Text to documents: places are exact, nothing is lost, and no value of a Secret is kept.
#![no_main]

use std::collections::{BTreeSet, HashSet};

use libfuzzer_sys::fuzz_target;
use palisade::document::{
    Document, FileId, Node, ReadOptions, Reading, Span, State, Value, overwrite_redacted, read,
    write_object,
};
use serde::Deserialize as _;

mod places;

const FILE: FileId = FileId(0);

/// Most nodes of a document whose pointers are asked for: each walks the tree.
const POINTERS: usize = 64;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let all = ReadOptions { crd_schemas: true, ..ReadOptions::default() };
    for options in [ReadOptions::default(), all] {
        let reading = read(FILE, &text, &options);
        places_fit(&text, &reading);
        states_agree(&text, &reading);
        let kept = overwrite_redacted(text.clone().into_owned(), &reading);
        only_overwritten(&text, &kept);
        for document in &reading.documents {
            if (document.id.group.as_str(), document.id.kind.as_str()) == ("", "Secret") {
                let fields = ["data", "stringData"].map(|field| document.root().get(field));
                fields.into_iter().flatten().for_each(|field| withheld(field, &kept));
            }
        }
    }
});

fn assert_inside(text: &str, span: Span, what: &str) {
    places::assert_inside(text, FILE, span, what);
}

fn places_fit(text: &str, reading: &Reading) {
    for problem in &reading.problems {
        assert_inside(text, problem.at, &problem.message);
    }
    for note in &reading.notes {
        assert_inside(text, note.at, &note.text);
    }
    for defect in &reading.defects {
        assert_inside(text, defect.at, "a defect");
        defect.related.iter().for_each(|at| assert_inside(text, *at, "a place of a defect"));
    }
    for document in &reading.documents {
        assert_inside(text, document.head, "a name");
        assert_inside(text, document.extent, "an object");
        document.comments.iter().for_each(|c| assert_inside(text, c.span, "a comment"));
        document.secrets.iter().for_each(|hit| assert_inside(text, hit.at, "a credential"));
        tree_fits(text, document);
        is_json(document);
    }
}

/// Every node once: aliases would make a small text a large walk.
fn tree_fits(text: &str, document: &Document) {
    let mut seen = HashSet::new();
    let mut open = vec![document.root()];
    while let Some(node) = open.pop() {
        if !seen.insert(node.index()) {
            continue;
        }
        assert_inside(text, node.span(), "a value");
        if let Some(key) = node.key_span() {
            assert_inside(text, key, "a key");
        }
        if seen.len() < POINTERS {
            let pointer = document.pointer_of(node.span());
            let _ = (pointer.to_string(), pointer.stable());
        }
        let children: Vec<Node<'_>> = node.children().collect();
        if node.is_map() {
            let keys: BTreeSet<&str> = children.iter().map(|child| child.key()).collect();
            assert_eq!(keys.len(), children.len(), "a map gives a key twice");
        }
        open.extend(children);
    }
}

fn is_json(document: &Document) {
    let mut json = String::new();
    write_object(document, &mut json);
    let mut reader = serde_json::Deserializer::from_str(&json);
    reader.disable_recursion_limit();
    let value = serde_json::Value::deserialize(&mut reader);
    assert!(value.is_ok_and(|value| value.is_object()), "no object: {json}");
}

fn states_agree(text: &str, reading: &Reading) {
    let Reading { documents, problems, notes, not_kubernetes, .. } = reading;
    for problem in problems {
        let state = problem.state;
        assert!(state.is_incomplete() || state == State::Encrypted, "a problem is {state:?}");
        assert!(!problem.message.is_empty());
        assert!(!problem.message.chars().any(char::is_control), "{:?}", problem.message);
    }
    let state = match (problems.is_empty(), documents.is_empty()) {
        (true, true) => State::NotKubernetes,
        (true, false) => State::Analysed,
        (false, _) => problems.iter().map(|problem| problem.state).min().expect("not empty"),
    };
    assert!(reading.state() <= state, "{:?} hides {state:?}", reading.state());
    let parts = documents.len() + problems.len() + notes.len() + not_kubernetes;
    assert!(parts > 0 || !says_something(text), "the text was lost");
}

/// Whether a line is neither blank, comment, separator, directive nor end marker.
fn says_something(text: &str) -> bool {
    let nothing = ["#", "---", "...", "%"];
    let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
    let mut lines = lines.map(|line| line.replace('\u{FEFF}', "").trim().to_owned());
    lines.any(|line| !line.is_empty() && !nothing.iter().any(|start| line.starts_with(start)))
}

/// The kept text has the length and the lines of the text, and asterisks and blanks for what went.
fn only_overwritten(text: &str, kept: &str) {
    assert_eq!(text.len(), kept.len(), "the kept text has another length");
    let pairs = text.bytes().zip(kept.bytes());
    for (at, (before, after)) in pairs.enumerate() {
        let same = before == after;
        let line_break = matches!(before, b'\n' | b'\r');
        assert!(same || !line_break && matches!(after, b'*' | b' '), "byte {at} is {after}");
    }
}

/// No value below a node is in the tree or in the kept text.
fn withheld(node: Node<'_>, kept: &str) {
    match node.value() {
        Value::Null => {}
        Value::Map | Value::List => node.children().for_each(|child| withheld(child, kept)),
        Value::Redacted(_) => {
            let Span { start, end, .. } = node.span();
            let written = kept.get(start as usize..end as usize).expect("a place fits");
            let alias = written.strip_prefix('*').is_some_and(|name| !name.starts_with(['*', ' ']));
            let gone = written.chars().all(|c| matches!(c, '*' | ' ' | '\n' | '\r'));
            assert!(gone || alias, "the kept text shows a value of a Secret");
        }
        value => panic!("a Secret keeps {value:?}"),
    }
}
