//! Manifests inside other texts: fences of Markdown, heredocs of shell scripts. Positions point into
//! the text itself.

mod heredoc;

use std::ops::Range;
use std::sync::Arc;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::document::{
    Defect, DefectKind, Extract, FileId, OffsetMap, ReadOptions, Reading, Span, read_extract,
};
use heredoc::{Heredoc, heredocs};

/// A part of a text without the prefixes of its lines.
struct Block {
    text: String,
    map: OffsetMap,
    language: Language,
}

/// What the text between two fences is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    /// YAML or JSON by its name.
    Manifest,
    /// A shell script or a terminal.
    Shell,
    /// Not named: a manifest if it looks like one.
    Unnamed,
    /// Something else.
    Other,
}

/// Reads the manifests of a document or a script.
pub(super) fn read(file: FileId, name: &str, text: &str, options: &ReadOptions) -> Reading {
    let is_script = [".sh", ".bash"].iter().any(|extension| name.ends_with(extension));
    let blocks = if is_script {
        let map = OffsetMap::Shift(0);
        vec![Block { text: text.to_owned(), map, language: Language::Shell }]
    } else {
        blocks(text)
    };
    let mut reading = Reading::empty();
    for block in blocks {
        let mut part = Reading::empty();
        match block.language {
            Language::Shell => {
                let mut from = 0;
                for heredoc in heredocs(&block.text, &block.map) {
                    // A script has credentials beside its manifests, and snippets show its lines.
                    withhold(&block, from..heredoc.body.start, &mut part);
                    from = heredoc.body.end;
                    part.append(read_heredoc(file, text, heredoc, options));
                }
                withhold(&block, from..block.text.len(), &mut part);
            }
            Language::Manifest => part = read_block(file, text, &block, options),
            Language::Unnamed if looks_like_manifest(&block.text) => {
                part = read_block(file, text, &block, options);
            }
            Language::Unnamed | Language::Other => {}
        }
        // Every fence ends in a state, one without anything to read as well.
        if part.documents.is_empty() && part.problems.is_empty() && part.not_kubernetes == 0 {
            part.not_kubernetes = 1;
        }
        reading.append(part);
    }
    reading
}

/// Withholds credentials in a part of a script that is no manifest.
fn withhold(block: &Block, range: Range<usize>, reading: &mut Reading) {
    let map = block.map.from(narrow(range.start));
    reading.withhold(block.text.get(range).unwrap_or_default(), &map);
}

/// The fences of a Markdown text, each line with its place in the text.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut current: Option<(Block, Vec<(u32, u32)>)> = None;
    for (event, range) in Parser::new_ext(text, Options::empty()).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                let map = OffsetMap::pieces(Vec::new());
                let block = Block { text: String::new(), map, language: language(&info) };
                current = Some((block, Vec::new()));
            }
            Event::Text(part) => {
                if let Some((block, pieces)) = &mut current {
                    pieces.push((narrow(block.text.len()), narrow(range.start)));
                    block.text.push_str(&part);
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some((mut block, pieces)) = current.take() {
                    block.map = OffsetMap::pieces(pieces);
                    blocks.push(block);
                }
            }
            _ => {}
        }
    }
    blocks
}

fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

fn language(info: &str) -> Language {
    let word = info.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "yaml" | "yml" | "json" | "kubernetes" | "k8s" => Language::Manifest,
        "bash" | "sh" | "shell" | "console" | "zsh" => Language::Shell,
        "" => Language::Unnamed,
        _ => Language::Other,
    }
}

/// Whether a text has `apiVersion` and `kind` at the start of lines, or of a JSON object.
fn looks_like_manifest(text: &str) -> bool {
    let has = |key: &str| {
        text.lines().any(|line| {
            let line = line.trim_start_matches(['{', ' ', '\t', '"']);
            line.strip_prefix(key).is_some_and(|rest| rest.trim_start_matches('"').starts_with(':'))
        })
    };
    has("apiVersion") && has("kind")
}

fn read_block(file: FileId, raw: &str, block: &Block, options: &ReadOptions) -> Reading {
    let extract = Extract {
        file,
        raw,
        text: &block.text,
        map: block.map.clone(),
        cluster: None,
        elided: is_elided(&block.text),
    };
    without_fragments(read_extract(&extract, options), &block.text)
}

/// A text in which parts are left out for the reader.
fn is_elided(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim();
        line == "..." || line == "\u{2026}" || line.contains("<...>") || {
            let comment = line.strip_prefix('#').map(str::trim_start);
            comment.is_some_and(|c| c.starts_with("...") || c.starts_with('\u{2026}'))
        }
    })
}

/// A fragment that is no object need not be YAML either.
fn without_fragments(mut reading: Reading, text: &str) -> Reading {
    if !looks_like_manifest(text) {
        reading.not_kubernetes += reading.problems.len();
        reading.problems.clear();
    }
    reading
}

fn read_heredoc(file: FileId, raw: &str, heredoc: Heredoc, options: &ReadOptions) -> Reading {
    let Heredoc { text, map, delimiter, expansions, namespace, cluster, body: _ } = heredoc;
    let mut options = options.clone();
    options.default_namespace = namespace.or(options.default_namespace);
    let extract = Extract {
        file,
        raw,
        text: &text,
        map,
        cluster: cluster.map(Arc::from),
        elided: is_elided(&text),
    };
    let mut reading = without_fragments(read_extract(&extract, &options), &text);
    let span = |(start, end): (u32, u32)| Span { file, start, end };
    for document in &reading.documents {
        let inside = |range: &&(u32, u32)| document.extent.contains(span(**range));
        let own: Vec<Span> = expansions.iter().filter(inside).map(|range| span(*range)).collect();
        let Some((first, more)) = own.split_first() else { continue };
        let text = raw.get(first.start as usize..first.end as usize).unwrap_or_default();
        reading.defects.push(Defect {
            kind: DefectKind::HeredocExpansion,
            object: Arc::clone(&document.id),
            at: *first,
            related: std::iter::once(span(delimiter)).chain(more.iter().copied()).collect(),
            detail: heredoc::title(text),
        });
    }
    reading
}
