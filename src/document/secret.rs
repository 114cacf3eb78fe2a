//! Telling credentials from what only looks like them.
//!
//! A judgement is made once, while the document is read, because the value is dropped afterwards.
//! The labelled list that measures it lies in `tests/it/secrets.rs`; its precision and recall are
//! recorded in docs/decisions.md.

use std::sync::LazyLock;

use regex::Regex;

use super::names::{Strength, may_name, strength};
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

/// How all of the above but URLs begin: most texts hold none of it, and are not searched further.
static SHAPED: LazyLock<Regex> = LazyLock::new(|| {
    let begins = [
        "-----BEGIN ",
        "AKIA",
        "ASIA",
        "gh[pousr]_",
        "github_pat_",
        "glpat-",
        "xox",
        "sk-",
        "[rs]k_",
        "AIza",
        r"ya29\.",
        "npm_",
        "pypi-",
        "dckr_pat_",
        r"hv[bs]\.",
        "hf_",
        r"SG\.",
        r"hooks\.slack",
        "eyJ",
    ];
    Regex::new(&begins.join("|")).expect("a constant")
});

/// Bytes of the shortest text that has one of those shapes (`xoxb-` and ten more), and of the shortest
/// header that [`AUTHORIZATION`] finds (`authorization:token` and nine more).
const SHORTEST: (usize, usize) = (15, 28);

/// What HTTP clients send to say who they are.
static AUTHORIZATION: LazyLock<Regex> = LazyLock::new(|| {
    let value = r#"["']?(?:bearer|basic|token|apikey)\s+([^\s"']{8,})"#;
    Regex::new(&format!(r#"(?i)authorization["']?\s*[:=]\s*{value}"#)).expect("a constant")
});

/// The part of a connection string or of a query that names a credential.
static PART: LazyLock<Regex> = LazyLock::new(|| {
    let names = "password|passwd|pwd|accountkey|sharedaccesskey|access_token|api_key|apikey|token";
    Regex::new(&format!(r#"(?i)[;?&]\s*({names})\s*=\s*([^;&\s"'<>|]+)"#)).expect("a constant")
});

/// An entry of a JSON object in one line, and an element of XML.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    let json = r#"["']([\w.-]+)["']\s*:\s*["']([^"']+)["']"#;
    Regex::new(&format!(r"{json}|<([\w.-]+)>([^<>]+)</")).expect("a constant")
});

/// A password behind the word for it, in SQL, in a configuration without signs, in a `.netrc`.
static PHRASE: LazyLock<Regex> = LazyLock::new(|| {
    let quoted = r#"\b(?:identified\s+by|password)\s*(?:=>)?\s*['"]([^'"]+)['"]"#;
    Regex::new(&format!(r"(?i){quoted}|\blogin\s+\S+\s+password\s+(\S+)")).expect("a constant")
});

/// A credential found in a text, and where in it.
pub(super) struct Hit {
    pub(super) credential: Credential,
    /// Byte range in the examined text.
    pub(super) range: (usize, usize),
}

impl Hit {
    /// The same hit in a text that begins earlier.
    pub(super) const fn moved(self, by: usize) -> Self {
        let (start, end) = self.range;
        Self { range: (start + by, end + by), ..self }
    }
}

/// Looks for a credential in any text by its shape alone.
pub(super) fn by_shape(text: &str) -> Option<Hit> {
    let hit = |credential, range: std::ops::Range<usize>| Hit {
        credential,
        range: (range.start, range.end),
    };
    if text.len() >= SHORTEST.0 && SHAPED.is_match(text) {
        if let Some(found) = PRIVATE_KEY.find(text) {
            return Some(hit(Credential::PrivateKey, found.range()));
        }
        if let Some(found) = PRODUCT_TOKEN.find_iter(text).find(|m| is_real(m.as_str())) {
            return Some(hit(Credential::ProductToken, found.range()));
        }
        if let Some(found) = JWT.find(text) {
            return Some(hit(Credential::Jwt, found.range()));
        }
    }
    // Most texts are short words: what cannot match is not searched.
    let bytes = text.as_bytes();
    memchr::memchr2(b':', b'=', bytes)?;
    if text.len() >= SHORTEST.1 && bytes.iter().any(|b| *b <= b' ' || !b.is_ascii()) {
        let mut values = AUTHORIZATION.captures_iter(text).filter_map(|c| c.get(1));
        if let Some(found) = values.find(|value| !is_placeholder(value.as_str())) {
            return Some(hit(Credential::Named, found.range()));
        }
    }
    if memchr::memchr3(b';', b'?', b'&', bytes).is_some() {
        let parts = PART.captures_iter(text).filter_map(|c| Some((c.get(1)?, c.get(2)?)));
        let mut secret = parts.filter(|(name, value)| {
            strength(name.as_str()).is_some_and(|says| looks_secret(value.as_str(), says))
        });
        if let Some((_, found)) = secret.next() {
            return Some(hit(Credential::Named, found.range()));
        }
    }
    if memchr::memchr(b'@', bytes).is_none() || !text.contains("://") {
        return None;
    }
    let pairs = URL_PASSWORD.captures_iter(text).filter_map(|c| Some((c.get(1)?, c.get(2)?)));
    let found = pairs.into_iter().find(|(user, password)| {
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
    let named = looks_secret(trimmed, strength) && !is_label(name, trimmed);
    let start = value.len() - value.trim_start().len();
    named.then_some(Hit { credential: Credential::Named, range: (start, start + trimmed.len()) })
}

/// Looks for `name = value` lines in a file that a ConfigMap carries.
pub(super) fn in_lines(text: &str) -> Option<Hit> {
    let shape = by_shape(text);
    if shape.is_some() || !may_name(text) {
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
    // A registry's settings in `.npmrc` begin like a comment.
    let registry = body.split_once("/:_").map(|(_, setting)| setting);
    if body.starts_with(['#', ';']) || body.starts_with("//") && registry.is_none() {
        return None;
    }
    if !may_name(line) {
        return None;
    }
    let special = in_pairs(line).or_else(|| in_redis(line)).or_else(|| in_phrase(line));
    if special.is_some() {
        return special;
    }
    let (name, value) = registry.unwrap_or(body).split_once(['=', ':'])?;
    let name = name.trim().trim_start_matches("- ").trim_start_matches("export ");
    let name = name.trim_matches(['"', '\'', ' ']);
    let plain_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(plain_name) {
        return None;
    }
    let value = without_comment(value.trim()).trim_end_matches([',', ';']).trim();
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
    let secret = looks_secret(inner, strength) && !is_label(name, inner);
    secret.then_some(Hit { credential: Credential::Named, range })
}

/// A value without the comment behind it.
fn without_comment(value: &str) -> &str {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let end = match quote {
        Some(quote) => value.get(1..).and_then(|rest| rest.find(quote)).map(|at| at + 2),
        None => [" #", "\t#"].iter().filter_map(|mark| value.find(mark)).min(),
    };
    end.and_then(|end| value.get(..end)).unwrap_or(value).trim_end()
}

/// The entries of a JSON object, or elements of XML, in one line.
fn in_pairs(line: &str) -> Option<Hit> {
    let group =
        |found: &regex::Captures<'_>, i| Some((found.get(i)?.range(), found.get(i + 1)?.range()));
    let pairs = PAIR.captures_iter(line).filter_map(|found| group(&found, 1).or(group(&found, 3)));
    let mut hits = pairs.filter_map(|(name, value)| {
        let (name, value) = (line.get(name)?, value);
        let says = strength(name)?;
        looks_secret(line.get(value.clone())?, says)
            .then_some(Hit { credential: Credential::Named, range: (value.start, value.end) })
    });
    hits.next()
}

/// A password behind the word for it, without a sign between them.
pub(super) fn in_phrase(line: &str) -> Option<Hit> {
    let values = PHRASE.captures_iter(line).filter_map(|found| found.get(1).or(found.get(2)));
    let mut secret = values.into_iter().filter(|v| looks_secret(v.as_str(), Strength::Password));
    let value = secret.next()?;
    Some(Hit { credential: Credential::Named, range: (value.start(), value.end()) })
}

/// The password of a Redis configuration, which stands behind its name.
fn in_redis(line: &str) -> Option<Hit> {
    let body = line.trim();
    let (name, value) = body.split_once(char::is_whitespace)?;
    let named = matches!(name, "requirepass" | "masterauth" | "primaryauth");
    let inner = without_comment(value.trim()).trim_matches(['"', '\'']);
    let start = line.find(inner).filter(|_| !inner.is_empty())?;
    (named && looks_secret(inner, Strength::Password))
        .then_some(Hit { credential: Credential::Named, range: (start, start + inner.len()) })
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
                && (is_mixed(value) || !value.chars().all(|c| word(c) || c.is_ascii_digit()))
        }
        Strength::Reference => {
            let name = |c: char| word(c) || c.is_ascii_digit() || c == '/';
            value.len() >= 12
                && !value.contains(char::is_whitespace)
                && (is_mixed(value) && !value.contains(['-', '_', '.', '/'])
                    || !value.chars().all(name))
                && is_varied(value)
        }
    }
}

/// Whether a value is the name itself, as a person reads it: `login.password=Password`.
fn is_label(name: &str, value: &str) -> bool {
    let capital = value.starts_with(|c: char| c.is_ascii_uppercase());
    let word = value.get(1..).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_lowercase()));
    capital && word && name.to_ascii_lowercase().ends_with(&value.to_ascii_lowercase())
}

/// Whether letters and digits take turns, as they do in what was made by chance and in no name.
fn is_mixed(value: &str) -> bool {
    let bytes = value.as_bytes();
    let turn = |pair: &&[u8]| match **pair {
        [a, b] => {
            a.is_ascii_digit() && b.is_ascii_alphabetic()
                || a.is_ascii_alphabetic() && b.is_ascii_digit()
        }
        _ => false,
    };
    bytes.windows(2).filter(turn).count() >= 3
}

/// Whether a value points to a secret instead of being one (a path, a URL, a store reference), or says
/// of what type it is.
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
    const WORDS: [&str; 22] = [
        "true",
        "false",
        "null",
        "none",
        "nil",
        "default",
        "auto",
        "yes",
        "no",
        "enabled",
        "disabled",
        "required",
        "optional",
        "always",
        "never",
        "prompt",
        "string",
        "string!",
        "str",
        "text",
        "bytes",
        "secretstr",
    ];
    let lower = value.to_ascii_lowercase();
    value.starts_with(['/', '.', '~', '$', '%', '@', '`'])
        || SCHEMES.iter().any(|scheme| lower.starts_with(scheme))
        || WORDS.contains(&lower.as_str())
}

/// Whether a value stands for one that is still to be filled in.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let bracketed =
        [('<', '>'), ('[', ']')].iter().any(|(a, b)| value.starts_with(*a) && value.ends_with(*b));
    value.is_empty()
        || bracketed
        || ["${", "$(", "#{", "{{", "{%", "<path:"].iter().any(|mark| value.contains(mark))
        || value.starts_with('$')
        || says_later(&value.to_ascii_lowercase())
        || !is_varied(value)
}

/// Whether a word, in lower case, says that the value comes later. A long value is no such word: it
/// may hold one by chance, or mention a host of `example.org`.
fn says_later(lower: &str) -> bool {
    const ANYWHERE: [&str; 13] = [
        "changeme",
        "changeit",
        "change_me",
        "change-me",
        "replaceme",
        "replace-me",
        "replace_me",
        "placeholder",
        "redacted",
        "example",
        "notused",
        "unused",
        "dummy",
    ];
    const WORDS: [&str; 4] = ["todo", "tbd", "fixme", "insert"];
    const LONGEST: usize = 64;
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    lower.len() <= LONGEST
        && !lower.starts_with('{')
        && (ANYWHERE.iter().any(|word| lower.contains(word))
            || words.any(|word| WORDS.contains(&word))
            || lower.starts_with("your")
            || lower.starts_with("my-") && says_secret(lower))
}

/// Whether a word is what an example writes for a password.
fn says_secret(value: &str) -> bool {
    ["pass", "password", "passwd", "pwd", "secret", "token", "key"]
        .iter()
        .any(|w| value.ends_with(w))
}

/// Whether a token is one, and not what documentation writes in its place.
fn is_real(token: &str) -> bool {
    is_varied(token) && !token.ends_with("EXAMPLE")
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
    // Whoever writes a placeholder where base64 belongs writes a short word.
    let word = value.len() <= 32 && is_placeholder(value);
    let unset = word || is_placeholder(plain) || is_store_reference(plain);
    // A file may have a placeholder in one line and a value in the next.
    if unset && !(plain.contains('\n') && in_lines(plain).is_some()) {
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

#[cfg(test)]
mod tests {
    use super::{by_name, by_shape, in_line, in_lines, is_placeholder, secret_value};
    use crate::document::tree::{Credential, Mark};

    /// A text in pieces, so that no token stands here as a scanner would look for it.
    fn glued(pieces: &[&str]) -> String {
        pieces.concat()
    }

    #[test]
    fn a_credential_is_known_by_its_shape() {
        let cases = [
            (glued(&["AK", "IAQX7ZLM2PRTWYV3K9"]), Credential::ProductToken),
            (glued(&["gh", "p_16C7e42F292c6912E7710c838347Ae178B4a"]), Credential::ProductToken),
            (glued(&["-----BEGIN EC PRIV", "ATE KEY-----"]), Credential::PrivateKey),
            (glued(&["ey", "JhbGciOiJIUzI1NiJ9.ey", "JzdWIiOiJvIn0.Qw3rTy7u"]), Credential::Jwt),
            ("postgres://orders:q7-plum@db/orders".to_owned(), Credential::UrlPassword),
            ("Server=db;Password=Wren-Field-8".to_owned(), Credential::Named),
            ("https://a.example.org/?api_key=9fK2mQ7xLw84Rt".to_owned(), Credential::Named),
            ("Authorization: Bearer tG7kLq2Zx91Qw".to_owned(), Credential::Named),
        ];
        for (text, credential) in cases {
            assert_eq!(by_shape(&text).map(|hit| hit.credential), Some(credential), "{text}");
        }
    }

    #[test]
    fn what_documentation_writes_is_no_credential() {
        let cases = [
            glued(&["AK", "IAIOSFODNN7EXAMPLE"]),
            "postgres://user:password@localhost/shop".to_owned(),
            "postgres://orders:${PASSWORD}@db/orders".to_owned(),
            "https://login.example.org/oauth/token".to_owned(),
            "Authorization: Bearer ${TOKEN_OF_ORDERS}".to_owned(),
            "Server=db;Password=${PASSWORD}".to_owned(),
        ];
        for text in cases {
            assert!(by_shape(&text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_name_decides_how_random_a_value_has_to_look() {
        let cases = [
            ("password", "rosebud", true),
            ("password", "12345", false),
            ("password", "two words", false),
            ("token", "tG7kLq2Zx91", true),
            ("token", "0d5fb1c27a9e4b3386f0", true),
            ("token", "orders-token-v2", false),
            ("token", "bearer", false),
            ("client_secret", "orders-client", false),
            ("secret", "e3b98a4da31a127d4bde6e43", true),
            ("secret", "orders-database-credentials", false),
            ("region", "tG7kLq2Zx91", false),
        ];
        for (name, value, secret) in cases {
            assert_eq!(by_name(name, value).is_some(), secret, "{name}={value}");
        }
    }

    #[test]
    fn a_line_of_a_file_is_read_in_its_own_format() {
        let cases = [
            ("password=rosebud", Some("rosebud")),
            ("export DB_PASSWORD='rosebud'", Some("rosebud")),
            ("  password: \"rosebud\" # of the old house", Some("rosebud")),
            ("password: rosebud # of the old house", Some("rosebud")),
            (r#"{"user": "kane", "password": "rosebud"}"#, Some("rosebud")),
            ("<password>rosebud</password>", Some("rosebud")),
            ("requirepass rosebud", Some("rosebud")),
            ("requirepass \"rosebud\" # of the old house", Some("rosebud")),
            ("# password=rosebud", None),
            ("password = get_password(user)", None),
            ("password: ask the operator", None),
            ("tokenTTL: 24h", None),
        ];
        for (line, found) in cases {
            let hit = in_line(line).and_then(|hit| line.get(hit.range.0..hit.range.1));
            assert_eq!(hit, found, "{line}");
        }
    }

    #[test]
    fn the_place_of_a_value_is_that_in_the_whole_text() {
        let text = "user=kane\npassword=rosebud\n";
        let hit = in_lines(text).expect("it is there");
        assert_eq!(text.get(hit.range.0..hit.range.1), Some("rosebud"));
    }

    #[test]
    fn a_placeholder_is_a_short_word_that_says_so() {
        let long = format!("{}tbd{}", "9fK2mQ7xLw84Rt".repeat(3), "example".repeat(5));
        let cases = [
            ("changeme", true),
            ("TODO", true),
            ("to-do: insert", true),
            ("<password>", true),
            ("xxxxxx", true),
            ("your-token", true),
            ("9fKtbd7xLw84Rt", false),
            ("rosebud", false),
            (long.as_str(), false),
        ];
        for (value, placeholder) in cases {
            assert_eq!(is_placeholder(value), placeholder, "{value}");
        }
    }

    #[test]
    fn a_value_of_a_secret_is_real_unless_it_says_otherwise() {
        let cases = [
            ("password", "cm9zZWJ1ZA==", true, Mark::Opaque),
            ("password", "Y2hhbmdlbWU=", true, Mark::Placeholder),
            ("password", "${PASSWORD}", true, Mark::Placeholder),
            ("password", "ENC[AES256_GCM,data:p8]", false, Mark::Encrypted),
            ("file", "user: ${USER}\npassword: rosebud\n", false, Mark::Opaque),
            ("file", "user: ${USER}\npassword: ${PASSWORD}\n", false, Mark::Placeholder),
            ("ca.crt", "-----BEGIN CERTIFICATE-----\nMIIB", false, Mark::Public),
        ];
        for (key, value, encoded, mark) in cases {
            assert_eq!(secret_value(key, value, encoded), mark, "{key}: {value}");
        }
    }
}
