//! Text to objects: identity, values, and the exact place of every value.

mod breaks;
mod command;
mod defect;
mod draft;
mod files;
mod identity;
mod inventory;
mod json;
mod kind;
mod merge;
mod names;
mod offset;
mod parse;
mod pointer;
mod read;
mod redact;
mod repair;
mod scalar;
mod secret;
mod text;
mod tree;
mod withhold;
mod wording;
mod yaml;

use std::fmt;
use std::sync::Arc;

pub use defect::{Defect, DefectKind};
pub use draft::{Content, Draft, Field, Rendering};
pub(crate) use files::narrow;
pub use files::{File, FileId, Files, Position, Span};
pub use inventory::{Gap, GapReason, Inventory, RootKind};
pub use json::{write_json, write_object};
pub use kind::{Kind, KindSet, Scope, is_policy, known, makes_no_pods};
pub(crate) use offset::OffsetMap;
pub use pointer::{Pointer, Step};
pub(crate) use read::{Extract, Parted, read_extract, read_nothing, read_parts};
pub use read::{ReadOptions, Reading, overwrite_redacted, read, read_settings};
pub use redact::SecretHit;
pub use scalar::{Plain, resolve};
pub(crate) use text::{Decoded, Decoding, clean, decode, excerpt, harmful};
pub(crate) use tree::ANNOTATION;
pub use tree::{Credential, LengthClass, Mark, Node, Redacted, Style, Tree, Value};
pub use yaml::Comment;

/// Identity of an object: what a second object of the same identity replaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// API group; empty for the core group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace as resolved; empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}

impl ObjectId {
    /// Kind and name for a sentence; a kind whose name several groups share says whose it is.
    #[must_use]
    pub fn title(&self) -> String {
        let whose = match (self.group.as_str(), self.kind.as_str()) {
            ("serving.knative.dev", "Service") => "Knative ",
            ("networking.istio.io", "Gateway") => "Istio ",
            _ => "",
        };
        format!("{whose}{} `{}`", self.kind, self.name)
    }
}

/// How an object's namespace was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamespaceSource {
    /// `metadata.namespace` of the manifest.
    Written,
    /// Named by the command line or by the command that applies the manifest.
    Given,
    /// Nothing says it; `default` is assumed.
    Assumed,
    /// The kind has none.
    ClusterScoped,
}

/// One object.
#[derive(Clone, Debug)]
pub struct Document {
    /// Who it is.
    pub id: Arc<ObjectId>,
    /// API version without the group.
    pub version: String,
    /// The model's kind, where it has one.
    pub kind: Option<Kind>,
    /// The tree that holds it; items of a `List` share one.
    pub tree: Arc<Tree>,
    /// Where in the tree it begins.
    pub node: u32,
    /// Its name in the text, the place for what concerns the whole object.
    pub head: Span,
    /// All of its text.
    pub extent: Span,
    /// How its namespace was found.
    pub namespace: NamespaceSource,
    /// Whether it is a workload without containers or a Service without ports: probably a patch.
    pub patch: bool,
    /// Whether a later object of the same identity replaces it in joins.
    pub superseded: bool,
    /// Comments that may hold a waiver.
    pub comments: Arc<[Comment]>,
    /// Credentials found outside Secrets.
    pub secrets: Arc<[SecretHit]>,
    /// The cluster that the command which applies it names, if it names one.
    pub cluster: Option<Arc<str>>,
    /// Whether the text around it has left-out parts (`# ...`), so that nothing may rest on absence.
    pub elided: bool,
    /// Whether what it makes a controller create is in the root.
    pub made: bool,
    /// How a renderer made it, where one did.
    pub rendering: Option<Arc<Rendering>>,
}

impl Document {
    /// The object's outermost node.
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        self.tree.node(self.node)
    }

    /// The pointer of the node that stands at a place inside this object.
    #[must_use]
    pub fn pointer_of(&self, span: Span) -> Pointer {
        match self.rendering {
            None => Pointer::of(&self.tree, self.node, span),
            // Parts of it stand in other files than the whole.
            Some(_) => Pointer::of_part(&self.tree, self.node, span),
        }
    }
}

/// What became of a file or of one document in it. Ordered from worst to best: a file takes the
/// worst state of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It could not be opened or read.
    Unreadable,
    /// It is not YAML or JSON, or no object that a server would take.
    Unparsable,
    /// It exceeds a limit.
    TooLarge,
    /// It is a template, or belongs to a chart or kustomization.
    NotRendered,
    /// It is encrypted or binary.
    Encrypted,
    /// Objects were read from it.
    Analysed,
    /// Text without a Kubernetes object.
    NotKubernetes,
    /// It was left out by a rule.
    Excluded,
}

impl State {
    /// The word of outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Unparsable => "unparsable",
            Self::TooLarge => "too-large",
            Self::NotRendered => "not-rendered",
            Self::Encrypted => "encrypted",
            Self::Analysed => "analysed",
            Self::NotKubernetes => "not-kubernetes",
            Self::Excluded => "excluded",
        }
    }

    /// Whether a run that met this state has not seen everything.
    #[must_use]
    pub const fn is_incomplete(self) -> bool {
        matches!(self, Self::Unreadable | Self::Unparsable | Self::TooLarge | Self::NotRendered)
    }
}

/// A part of a file that gave no object, with the reason for people.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Where.
    pub at: Span,
    /// What became of it.
    pub state: State,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<&'static str>,
}

/// A remark that is neither a finding nor an error.
#[derive(Clone, Debug)]
pub struct Note {
    /// Where.
    pub at: Span,
    /// The remark.
    pub text: String,
}

/// Bounds on what is read, against hostile input.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one file or of standard input.
    pub file_bytes: u64,
    /// Documents of one file.
    pub documents: usize,
    /// Anchors and aliases of one document.
    pub anchors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 64 << 20, documents: 100_000, anchors: 10_000 }
    }
}

impl Limits {
    /// Nodes that may be visited when all aliases of a document with `nodes` nodes are followed.
    fn expansion(&self, nodes: usize) -> usize {
        nodes.saturating_mul(10).saturating_add(100_000)
    }
}
