//! Telling credentials from what only looks like them.
//!
//! A judgement is made once, while the document is read, because the value is dropped afterwards.
//! The labelled list that measures it lies in `tests/it/secrets.rs`; its precision and recall are
//! recorded in docs/decisions.md.

use std::sync::LazyLock;

use regex::Regex;

use super::tree::{Credential, LengthClass, Mark};

/// Tokens with a shape of their own, whatever they are called.
static PRODUCT_TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    let shapes = [
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        r"\bgh[pousr]_[0-9A-Za-z]{36}",
        r"\bgithub_pat_[0-9A-Za-z_]{22,}",
        r"\bglpat-[0-9A-Za-z_-]{20}",
        r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}",
        r"\bsk-(?:proj-|ant-[a-z0-9]+-|or-v1-)?[0-9A-Za-z_-]{20,}",
        r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,}",
        r"\bAIza[0-9A-Za-z_-]{35}",
        r"\bya29\.[0-9A-Za-z_-]{20,}",
        r"\bnpm_[0-9A-Za-z]{36}",
        r"\bpypi-[0-9A-Za-z_-]{40,}",
        r"\bdckr_pat_[0-9A-Za-z_-]{20,}",
        r"\bhv[bs]\.[0-9A-Za-z_-]{24,}",
        r"\bhf_[0-9A-Za-z]{30,}",
        r"\bSG\.[0-9A-Za-z_-]{20,}\.[0-9A-Za-z_-]{30,}",
        r"https://hooks\.slack\.com/services/T[0-9A-Z]+/B[0-9A-Z]+/[0-9A-Za-z]{16,}",
    ];
    Regex::new(&shapes.join("|")).expect("the shapes are constants, tested below")
});

static JWT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}")
        .expect("a constant, tested below")
});

static URL_PASSWORD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"[a-z][a-z0-9+.-]*://([^/\s:@"'<>]*):([^/\s@"'<>]+)@"#)
        .expect("a constant, tested below")
});

static PRIVATE_KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----").expect("a constant")
});

/// A credential found in a text, and where in it.
pub(super) struct Hit {
    pub(super) credential: Credential,
    /// Byte range in the examined text.
    pub(super) range: (usize, usize),
}

/// Looks for a credential in any text by its shape alone.
pub(super) fn by_shape(text: &str) -> Option<Hit> {
    let hit = |credential, range: std::ops::Range<usize>| Hit {
        credential,
        range: (range.start, range.end),
    };
    if text.len() < 8 {
        return None;
    }
    if let Some(found) = PRIVATE_KEY.find(text) {
        return Some(hit(Credential::PrivateKey, found.range()));
    }
    if let Some(found) = PRODUCT_TOKEN.find_iter(text).find(|m| is_varied(m.as_str())) {
        return Some(hit(Credential::ProductToken, found.range()));
    }
    if let Some(found) = JWT.find(text) {
        return Some(hit(Credential::Jwt, found.range()));
    }
    let passwords = URL_PASSWORD.captures_iter(text).filter_map(|c| Some((c.get(1)?, c.get(2)?)));
    let found = passwords.into_iter().find(|(user, password)| {
        let example_user = matches!(user.as_str(), "user" | "username" | "usr" | "name");
        !(is_placeholder(password.as_str()) || example_user && says_secret(password.as_str()))
    });
    found.map(|(_, password)| hit(Credential::UrlPassword, password.range()))
}

/// Looks for a credential in a value by its shape, then by what its name says.
pub(super) fn by_name(name: &str, value: &str) -> Option<Hit> {
    let shape = by_shape(value);
    if shape.is_some() {
        return shape;
    }
    let strength = strength(name)?;
    let trimmed = value.trim();
    let named = looks_secret(trimmed, strength);
    let start = value.len() - value.trim_start().len();
    named.then_some(Hit { credential: Credential::Named, range: (start, start + trimmed.len()) })
}

/// Looks for `name = value` lines in a file that a ConfigMap carries.
pub(super) fn in_lines(text: &str) -> Option<Hit> {
    let shape = by_shape(text);
    if shape.is_some() {
        return shape;
    }
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if let Some(hit) = in_line(line) {
            let (start, end) = hit.range;
            return Some(Hit { range: (offset + start, offset + end), ..hit });
        }
        offset += line.len();
    }
    None
}

/// A line of a properties, INI, environment, YAML or JSON file.
pub(super) fn in_line(line: &str) -> Option<Hit> {
    let body = line.trim();
    if body.starts_with(['#', ';']) || body.starts_with("//") {
        return None;
    }
    let (name, value) = body.split_once(['=', ':'])?;
    let name = name.trim().trim_start_matches("- ").trim_start_matches("export ");
    let name = name.trim_matches(['"', '\'', ' ']);
    let plain_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(plain_name) {
        return None;
    }
    let value = value.trim().trim_end_matches(',').trim();
    let quoted = value.starts_with(['"', '\'']);
    let inner = value.trim_matches(['"', '\'']);
    let code =
        |c: char| matches!(c, ' ' | '(' | ')' | '{' | '}' | '[' | ']' | '<' | '>' | ';' | '|');
    if inner.contains(code) && (!quoted || inner.contains(['(', '{'])) {
        return None;
    }
    let strength = strength(name)?;
    let start = line.find(inner).filter(|_| !inner.is_empty())?;
    let range = (start, start + inner.len());
    looks_secret(inner, strength).then_some(Hit { credential: Credential::Named, range })
}

/// How much a name says: a password may look like anything, a token or key has to look random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strength {
    Password,
    Token,
    /// Names that as often hold the name of a Secret as a value.
    Reference,
}

fn strength(name: &str) -> Option<Strength> {
    const HARMLESS_END: [&str; 43] = [
        "file",
        "path",
        "dir",
        "name",
        "names",
        "ref",
        "url",
        "uri",
        "endpoint",
        "host",
        "port",
        "id",
        "ids",
        "ttl",
        "timeout",
        "expiry",
        "expiration",
        "expires",
        "enabled",
        "disabled",
        "required",
        "length",
        "size",
        "limit",
        "limits",
        "count",
        "algorithm",
        "alg",
        "type",
        "mode",
        "policy",
        "issuer",
        "audience",
        "header",
        "prefix",
        "public",
        "store",
        "provider",
        "namespace",
        "version",
        "rotation",
        "interval",
        "location",
    ];
    let words = words(name);
    let last = words.last()?.as_str();
    if HARMLESS_END.contains(&last) || words.iter().any(|w| w == "public" || w == "max") {
        return None;
    }
    let has = |word: &str| words.iter().any(|w| w == word);
    let pair =
        |a: &str, b: &str| words.iter().zip(words.iter().skip(1)).any(|(x, y)| x == a && y == b);
    let password = ["password", "passwd", "pwd", "passphrase", "pass", "pw"];
    if password.contains(&last) || has("password") || has("passwd") || has("passphrase") {
        return Some(Strength::Password);
    }
    let key_before =
        ["api", "access", "secret", "private", "signing", "encryption", "auth", "master"];
    let keyed =
        key_before.iter().any(|word| pair(word, "key")) || has("apikey") || has("secretkey");
    if keyed || has("token") || pair("client", "secret") || pair("shared", "secret") {
        return Some(Strength::Token);
    }
    if pair("jwt", "secret") || pair("secret", "base") || pair("session", "secret") {
        return Some(Strength::Token);
    }
    let reference = ["secret", "secrets", "credential", "credentials", "keys", "tokens"];
    reference.contains(&last).then_some(Strength::Reference)
}

/// Lower-case words of a name in any casing: `DB_PASSWORD`, `dbPassword`, `db-password`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous_lower = false;
    for c in name.chars() {
        let boundary = !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && previous_lower);
        if boundary && words.last().is_some_and(|w| !w.is_empty()) {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
        previous_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    words.retain(|w| !w.is_empty());
    words
}

fn looks_secret(value: &str, strength: Strength) -> bool {
    if value.len() < 4 || value.len() > 4096 || is_placeholder(value) || is_reference(value) {
        return false;
    }
    let word = |c: char| c.is_ascii_lowercase() || matches!(c, '-' | '_' | '.');
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    match strength {
        Strength::Password => !(value.contains(char::is_whitespace) || digits && value.len() < 6),
        Strength::Token => {
            value.len() >= 8
                && !digits
                && !value.contains(char::is_whitespace)
                && !value.chars().all(word)
        }
        Strength::Reference => {
            let name = |c: char| word(c) || c.is_ascii_digit() || c == '/';
            value.len() >= 12
                && !value.contains(char::is_whitespace)
                && !value.chars().all(name)
                && is_varied(value)
        }
    }
}

/// Whether a value points to a secret instead of being one: a path, a URL, a store reference.
fn is_reference(value: &str) -> bool {
    const SCHEMES: [&str; 13] = [
        "vault:",
        "ref+",
        "op://",
        "arn:",
        "file:",
        "env:",
        "secret:",
        "secretref:",
        "projects/",
        "http://",
        "https://",
        "gcpsm:",
        "awssm:",
    ];
    let lower = value.to_ascii_lowercase();
    value.starts_with(['/', '.', '~', '$', '%', '@'])
        || SCHEMES.iter().any(|scheme| lower.starts_with(scheme))
        || matches!(lower.as_str(), "true" | "false" | "null" | "none" | "nil" | "default" | "auto")
}

/// Whether a value stands for one that is still to be filled in.
pub(super) fn is_placeholder(value: &str) -> bool {
    const WORDS: [&str; 16] = [
        "changeme",
        "changeit",
        "change_me",
        "change-me",
        "replaceme",
        "replace-me",
        "replace_me",
        "placeholder",
        "redacted",
        "todo",
        "tbd",
        "dummy",
        "example",
        "notused",
        "unused",
        "insert",
    ];
    let value = value.trim().trim_matches(['"', '\'']);
    let lower = value.to_ascii_lowercase();
    let bracketed =
        [('<', '>'), ('[', ']')].iter().any(|(a, b)| value.starts_with(*a) && value.ends_with(*b));
    value.is_empty()
        || bracketed
        || ["${", "$(", "{{", "{%", "<path:"].iter().any(|mark| value.contains(mark))
        || value.starts_with('$')
        || lower.starts_with("your")
        || lower.starts_with("my-") && says_secret(&lower)
        || WORDS.iter().any(|word| lower.contains(word))
        || !is_varied(value)
}

/// Whether a word is what an example writes for a password.
fn says_secret(value: &str) -> bool {
    ["pass", "password", "passwd", "pwd", "secret", "token", "key"]
        .iter()
        .any(|w| value.ends_with(w))
}

/// Whether a value has at least three different characters; `xxxx` and `********` have not.
fn is_varied(value: &str) -> bool {
    let mut seen = Vec::with_capacity(3);
    for c in value.chars() {
        if !seen.contains(&c) {
            seen.push(c);
            if seen.len() >= 3 {
                return true;
            }
        }
    }
    false
}

/// The mark of a value of a Secret. `encoded` is true for `data`, whose values are base64.
pub(super) fn secret_value(key: &str, value: &str, encoded: bool) -> Mark {
    let decoded = if encoded { super::text::decode_base64(value) } else { None };
    let plain = decoded.as_deref().unwrap_or(value);
    if value.starts_with("ENC[") || plain.starts_with("ENC[") {
        return Mark::Encrypted;
    }
    let public = plain.contains("-----BEGIN CERTIFICATE") || plain.contains("PUBLIC KEY-----");
    if public && !PRIVATE_KEY.is_match(plain) {
        return Mark::Public;
    }
    let unset = is_placeholder(plain) || is_placeholder(value) || is_store_reference(plain);
    if unset {
        return Mark::Placeholder;
    }
    if key.ends_with("dockerconfigjson") || key == ".dockercfg" {
        return Mark::Credential(Credential::DockerConfig);
    }
    Mark::Opaque
}

fn is_store_reference(value: &str) -> bool {
    ["vault:", "ref+", "op://", "secretref:", "<path:"].iter().any(|mark| value.starts_with(mark))
}

/// The length class of a value.
pub(super) fn length_class(value: &str) -> LengthClass {
    match value.len() {
        0 => LengthClass::Empty,
        1..=16 => LengthClass::Short,
        17..=64 => LengthClass::Medium,
        _ => LengthClass::Long,
    }
}
