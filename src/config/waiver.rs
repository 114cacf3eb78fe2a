//! Waivers: one model, three spellings, one matching function.

use std::sync::Arc;

use globset::{Glob, GlobMatcher};
use jiff::civil::Date;

use super::section::{ConfigError, Section, nearest};
use crate::document::{ANNOTATION, Comment, Document, Files, Node, ObjectId, Span, clean, excerpt};
use crate::finding::Finding;

/// Where a waiver is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spelling {
    /// A YAML comment on the line of the finding or above it.
    Comment,
    /// An annotation of the object.
    Annotation,
    /// `waivers:` of palisade.yaml.
    Configuration,
}

impl Spelling {
    /// Every spelling.
    pub const ALL: [Self; 3] = [Self::Comment, Self::Annotation, Self::Configuration];

    /// The word of outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Annotation => "annotation",
            Self::Configuration => "configuration",
        }
    }
}

/// Which findings a waiver of the configuration covers: all given parts have to match.
#[derive(Clone, Debug, Default)]
pub struct Match {
    namespace: Option<GlobMatcher>,
    kind: Option<GlobMatcher>,
    name: Option<GlobMatcher>,
    file: Option<GlobMatcher>,
}

impl Match {
    /// Whether neither a name nor a file narrows it down. `*` narrows nothing.
    #[must_use]
    pub fn is_broad(&self) -> bool {
        let narrows = |glob: &Option<GlobMatcher>| {
            glob.as_ref().is_some_and(|glob| !glob.glob().glob().chars().all(|c| c == '*'))
        };
        !narrows(&self.name) && !narrows(&self.file)
    }

    /// Whether an object in a file matches.
    fn fits(&self, id: &ObjectId, file: &str) -> bool {
        let fits = |glob: &Option<GlobMatcher>, text: &str| {
            glob.as_ref().is_none_or(|glob| glob.is_match(text))
        };
        fits(&self.namespace, &id.namespace)
            && fits(&self.kind, &id.kind)
            && fits(&self.name, &id.name)
            && fits(&self.file, file)
    }

    /// The globs as written, to tell one waiver from another.
    fn text(&self) -> String {
        let globs = [&self.namespace, &self.kind, &self.name, &self.file];
        let texts = globs.map(|glob| glob.as_ref().map_or("", |glob| glob.glob().glob()));
        texts.join("\n")
    }
}

/// What a waiver covers.
#[derive(Clone, Debug)]
pub enum Scope {
    /// Findings whose primary label touches a line of a file.
    Line {
        /// The comment.
        comment: Span,
        /// Number of the line, from 0.
        line: usize,
    },
    /// Findings about one object.
    Object(Arc<ObjectId>),
    /// Findings that match.
    Matching(Box<Match>),
}

/// Permission to live with a finding.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// Slug of the check.
    pub check: String,
    /// Place of the slug.
    pub check_span: Span,
    /// The whole waiver.
    pub span: Span,
    /// Spelling.
    pub spelling: Spelling,
    /// What it covers.
    pub scope: Scope,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The last valid day.
    pub until: Option<Date>,
    /// Place of the date.
    pub until_span: Span,
    /// Who approved it.
    pub approver: Option<String>,
    /// Where it is discussed.
    pub ticket: Option<String>,
}

impl Waiver {
    /// Whether its last day lies before `today`.
    #[must_use]
    pub fn expired(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }

    /// Whether it covers a finding. The only place that decides this.
    #[must_use]
    pub fn covers(&self, finding: &Finding, files: &Files) -> bool {
        if self.check != finding.check {
            return false;
        }
        match &self.scope {
            Scope::Line { comment, line } => finding.primary().is_some_and(|at| {
                at.file == comment.file && files.get(at.file).lines_of(at).contains(line)
            }),
            Scope::Object(id) => *id == finding.subject,
            Scope::Matching(wanted) => {
                let file = finding.primary().map_or("", |at| files.get(at.file).name());
                wanted.fits(&finding.subject, file)
            }
        }
    }

    /// Whether a finding about an object could be covered; one of a comment could be anywhere in
    /// the object around it.
    #[must_use]
    pub fn concerns(&self, id: &ObjectId, file: &str, holder: &ObjectId) -> bool {
        match &self.scope {
            Scope::Line { .. } | Scope::Object(_) => id == holder,
            Scope::Matching(wanted) => wanted.fits(id, file),
        }
    }

    /// What tells it from other waivers for the same check of the same object, whatever its line.
    #[must_use]
    pub fn identity(&self) -> String {
        let matches = match &self.scope {
            Scope::Matching(wanted) => wanted.text(),
            Scope::Line { .. } | Scope::Object(_) => String::new(),
        };
        [self.spelling.word(), &self.check, &matches, &self.reason].join("\n")
    }
}

/// A waiver that cannot be read, in a comment or annotation: it counts for nothing.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Where.
    pub at: Span,
    /// Why.
    pub message: String,
}

/// The waivers that an object carries in comments and annotations.
#[must_use]
pub fn of_document(document: &Document, files: &Files) -> (Vec<Waiver>, Vec<Unreadable>) {
    let mut waivers = Vec::new();
    let mut unreadable = Vec::new();
    let mut keep = |result: Result<Vec<Waiver>, Unreadable>| match result {
        Ok(found) => waivers.extend(found),
        Err(problem) => unreadable.push(problem),
    };
    let own = document.comments.iter().filter(|comment| document_holds(document, comment, files));
    own.for_each(|comment| keep(of_comment(comment, files)));
    let annotations = document.tree.is_annotated().then(|| document.root());
    let annotations = annotations.and_then(|root| root.path(&["metadata", "annotations"]));
    for annotation in annotations.into_iter().flat_map(Node::children) {
        let Some(rest) = annotation.key().strip_prefix(ANNOTATION) else { continue };
        keep(match rest.strip_prefix('.').filter(|slug| !slug.is_empty()) {
            Some(slug) => of_annotation(document, slug, annotation).map(|waiver| vec![waiver]),
            None => Err(Unreadable {
                at: annotation.key_span().unwrap_or(annotation.span()),
                message: "the annotation must be called `palisade.dev/ignore.<check>`".to_owned(),
            }),
        });
    }
    (waivers, unreadable)
}

/// Items of a list share their comments; a comment belongs to the item around or below it.
fn document_holds(document: &Document, comment: &Comment, files: &Files) -> bool {
    let file = files.get(comment.span.file);
    let line = file.line_index(comment.span.start);
    let first = file.line_index(document.extent.start);
    let last = file.line_index(document.extent.end);
    let whole = document.node == 0;
    whole || (first..=last).contains(&line) || line + 1 == first
}

fn of_comment(comment: &Comment, files: &Files) -> Result<Vec<Waiver>, Unreadable> {
    let text = comment.text.trim();
    let Some(rest) = text.strip_prefix("palisade:") else { return Ok(Vec::new()) };
    let refuse = |message: &str| Unreadable { at: comment.span, message: message.to_owned() };
    let rest = rest.trim_start();
    let Some(rest) = rest.strip_prefix("ignore") else {
        return Err(refuse("a palisade comment must read `# palisade: ignore[check] reason`"));
    };
    let inner = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let Some((slugs, details)) = inner else {
        return Err(refuse("`ignore` must name its checks in brackets: `ignore[check]`"));
    };
    let details = Details::read(details, false).map_err(|message| refuse(&message))?;
    let file = files.get(comment.span.file);
    let own_line = file.line_index(comment.span.start);
    let (start, _) = file.line_range(own_line);
    let before = file.text().get(start as usize..comment.span.start as usize).unwrap_or_default();
    // A fence may stand in a quotation of its document.
    let alone = before.trim_matches(|c: char| c.is_whitespace() || c == '>').is_empty();
    let slugs: Vec<&str> = slugs.split(',').map(str::trim).filter(|s| !s.is_empty()).collect();
    if slugs.is_empty() {
        return Err(refuse("`ignore[]` names no check"));
    }
    let scope = Scope::Line { comment: comment.span, line: own_line + usize::from(alone) };
    let waiver = |slug: &str| details.waiver(slug, comment.span, Spelling::Comment, scope.clone());
    Ok(slugs.into_iter().map(waiver).collect())
}

fn of_annotation(
    document: &Document,
    slug: &str,
    annotation: Node<'_>,
) -> Result<Waiver, Unreadable> {
    let at = annotation.span();
    let refuse = |message: String| Unreadable { at, message };
    let text =
        annotation.as_str().ok_or_else(|| refuse("the annotation must be a string".into()))?;
    let details = Details::read(text, true).map_err(refuse)?;
    let scope = Scope::Object(Arc::clone(&document.id));
    let at = annotation.key_span().unwrap_or(at);
    Ok(details.waiver(slug, at, Spelling::Annotation, scope))
}

/// `reason; until=2027-01-31; owner=team`.
struct Details {
    reason: String,
    owner: Option<String>,
    until: Option<Date>,
    approver: Option<String>,
    ticket: Option<String>,
}

impl Details {
    fn read(text: &str, strict: bool) -> Result<Self, String> {
        const KEYS: [&str; 4] = ["until", "owner", "approver", "ticket"];
        let mut parts = text.split(';').map(str::trim);
        let reason = clean(parts.next().unwrap_or_default());
        let mut found: [Option<String>; 4] = Default::default();
        for part in parts.filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let (key, value) = (key.trim(), value.trim());
            let slots = KEYS.iter().zip(&mut found);
            let Some((_, slot)) = slots.into_iter().find(|(known, _)| **known == key) else {
                return Err(match nearest(key, KEYS) {
                    Some(near) => {
                        format!("`{}` is no part of a waiver: write `{near}`", excerpt(key))
                    }
                    None => format!(
                        "`{}` is no part of a waiver: behind `;` stand {}",
                        excerpt(part),
                        KEYS.join(", ")
                    ),
                });
            };
            if value.is_empty() {
                return Err(format!("`{key}` has no value: write `{key}=...`"));
            }
            if slot.replace(clean(value)).is_some() {
                return Err(format!("`{key}` is written twice"));
            }
        }
        let [until, owner, approver, ticket] = found;
        if reason.is_empty() {
            return Err("the waiver gives no reason".to_owned());
        }
        if strict && (owner.is_none() || until.is_none()) {
            return Err("the waiver needs `until=YYYY-MM-DD` and `owner=...`".to_owned());
        }
        let until = until.map(|until| date(&until)).transpose()?;
        Ok(Self { reason, owner, until, approver, ticket })
    }

    fn waiver(&self, slug: &str, span: Span, spelling: Spelling, scope: Scope) -> Waiver {
        Waiver {
            check: slug.to_owned(),
            check_span: span,
            span,
            spelling,
            scope,
            reason: self.reason.clone(),
            owner: self.owner.clone(),
            until: self.until,
            until_span: span,
            approver: self.approver.clone(),
            ticket: self.ticket.clone(),
        }
    }
}

fn date(text: &str) -> Result<Date, String> {
    let refuse = || format!("`{}` is no date: write YYYY-MM-DD", excerpt(text));
    let date: Date = text.parse().map_err(|_| refuse())?;
    if date.to_string() == text { Ok(date) } else { Err(refuse()) }
}

/// Reads one entry of `waivers:`.
pub(super) fn of_configuration(
    node: Node<'_>,
    errors: &mut Vec<ConfigError>,
    named: &mut Vec<(String, Span)>,
) -> Option<Waiver> {
    const KEYS: [&str; 7] = ["check", "match", "reason", "owner", "until", "approver", "ticket"];
    let before = errors.len();
    let mut section = Section::open(node, "a waiver", &KEYS, errors)?;
    let mut required = |key: &'static str| {
        let text = section.text(key);
        if section.get(key).is_none() {
            let message = format!("the waiver has no `{key}`");
            let help = "give `check`, `match`, `reason`, `owner` and `until`";
            let at = section.span();
            section.error(ConfigError::new(at, message).help(help));
        }
        text
    };
    let check = required("check");
    named.extend(check.clone());
    let reason = required("reason").map(|(text, _)| clean(&text));
    let owner = required("owner").map(|(text, _)| clean(&text));
    let until = required("until");
    let until = until.and_then(|(text, at)| match date(&text) {
        Ok(date) => Some((date, at)),
        Err(message) => {
            section.error(ConfigError::new(at, message));
            None
        }
    });
    let approver = section.text("approver").map(|(text, _)| clean(&text));
    let ticket = section.text("ticket").map(|(text, _)| clean(&text));
    let wanted = section.get("match");
    let wanted = wanted.map(|node| matching(node, section.errors())).unwrap_or_default();
    let (check, check_span) = check?;
    let (until, until_span) = until?;
    if errors.len() > before {
        return None;
    }
    Some(Waiver {
        check,
        check_span,
        span: node.span(),
        spelling: Spelling::Configuration,
        scope: Scope::Matching(Box::new(wanted)),
        reason: reason?,
        owner: Some(owner?),
        until: Some(until),
        until_span,
        approver,
        ticket,
    })
}

fn matching(node: Node<'_>, errors: &mut Vec<ConfigError>) -> Match {
    const KEYS: [&str; 4] = ["namespace", "kind", "name", "file"];
    let Some(mut section) = Section::open(node, "`match`", &KEYS, errors) else {
        return Match::default();
    };
    let mut glob = |key: &str| {
        let (text, at) = section.text(key)?;
        match Glob::new(&text) {
            Ok(glob) => Some(glob.compile_matcher()),
            Err(error) => {
                let message = format!("`{}` is no glob: {}", excerpt(&text), error.kind());
                section.error(ConfigError::new(at, message));
                None
            }
        }
    };
    Match {
        namespace: glob("namespace"),
        kind: glob("kind"),
        name: glob("name"),
        file: glob("file"),
    }
}
