//! Bases that lie elsewhere: they are never fetched.

use crate::document::{Gap, GapReason, Span};

/// Whether an entry names a repository or a file elsewhere.
pub(in crate::source) fn is_remote(path: &str) -> bool {
    let schemes = ["git::", "git@", "gh:", "ssh://", "http://", "https://", "file://", "org-"];
    let lower = path.to_ascii_lowercase();
    let scheme = schemes.iter().any(|scheme| lower.starts_with(scheme));
    let first = path.split('/').next().unwrap_or_default();
    // A name with a dot that is not a relative path is taken for a host where a repository follows.
    let host = path.contains('/') && first.contains('.') && !first.trim_matches('.').is_empty();
    let repository = path.contains("?ref=") || path.contains(".git/") || path.ends_with(".git");
    let doubled = path.contains("//") && host;
    let known =
        ["github.com", "gitlab.com", "bitbucket.org"].iter().any(|name| lower.starts_with(name));
    scheme || known || doubled || (host && repository) || (repository && path.contains(':'))
}

/// What a remote base leaves open.
pub(in crate::source) fn remote_gap(path: &str, at: Span) -> Gap {
    Gap {
        reason: GapReason::RemoteBase,
        what: format!("`{path}`"),
        at: Some(at),
        hint: "copy the remote base into the repository: nothing is fetched".to_owned(),
        namespace: None,
    }
}
