//! What a module noticed while doing its own work. A check words it (`Context::facts`).

use std::sync::Arc;

use super::{ObjectId, files::Span};

/// The kinds of defect. Each is voiced by exactly one check, which names it in its metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DefectKind {
    /// A key occurs twice in one map.
    DuplicateKey,
    /// The same object stands twice in one root.
    ObjectDefinedTwice,
    /// A policy in a file that no root includes.
    OrphanPolicyFile,
    /// The shell expands something inside a manifest before it is applied.
    HeredocExpansion,
    /// A Cilium policy without a selector that Cilium knows.
    CiliumSelectorMissing,
    /// A default deny that is switched on for a direction without any rule.
    DefaultDenyWithoutRules,
}

impl DefectKind {
    /// Every kind of defect.
    pub const ALL: [Self; 6] = [
        Self::DuplicateKey,
        Self::ObjectDefinedTwice,
        Self::OrphanPolicyFile,
        Self::HeredocExpansion,
        Self::CiliumSelectorMissing,
        Self::DefaultDenyWithoutRules,
    ];
}

/// One defect: what, where, on which object, and the places that belong to it.
#[derive(Clone, Debug)]
pub struct Defect {
    /// What it is.
    pub kind: DefectKind,
    /// The object it stands on.
    pub object: Arc<ObjectId>,
    /// The place to change.
    pub at: Span,
    /// Other places, in the order in which the check mentions them.
    pub related: Vec<Span>,
    /// What the sentence needs besides: a key, a direction, a variable.
    pub detail: String,
}
