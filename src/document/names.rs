//! What a name says of its value: `DB_PASSWORD` holds a credential, `DB_PASSWORD_FILE` none.

use std::sync::LazyLock;

use regex::Regex;

/// How much a name says: a password may look like anything, a token or key has to look random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strength {
    Password,
    Token,
    /// Names that as often hold the name of a Secret as a value.
    Reference,
}

/// Last words that turn a name around: what is meant is something about the credential.
const HARMLESS_END: [&str; 105] = [
    "file",
    "files",
    "path",
    "dir",
    "directory",
    "name",
    "names",
    "alias",
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
    "expire",
    "expiration",
    "expires",
    "lifetime",
    "age",
    "days",
    "hours",
    "minutes",
    "seconds",
    "enabled",
    "disabled",
    "required",
    "allowed",
    "length",
    "size",
    "limit",
    "limits",
    "count",
    "retries",
    "attempts",
    "budget",
    "algorithm",
    "alg",
    "algo",
    "type",
    "kind",
    "mode",
    "method",
    "format",
    "encoding",
    "encoder",
    "policy",
    "rules",
    "regex",
    "pattern",
    "strength",
    "complexity",
    "issuer",
    "audience",
    "scope",
    "scopes",
    "claim",
    "claims",
    "class",
    "header",
    "cookie",
    "param",
    "parameter",
    "field",
    "column",
    "attribute",
    "label",
    "hint",
    "prefix",
    "suffix",
    "public",
    "store",
    "backend",
    "provider",
    "manager",
    "service",
    "source",
    "strategy",
    "template",
    "namespace",
    "version",
    "revision",
    "rotation",
    "interval",
    "location",
    "region",
    "hash",
    "hashes",
    "digest",
    "checksum",
    "fingerprint",
    "env",
    "var",
    "variable",
    "stdin",
    "prompt",
    "fd",
    "reset",
    "change",
    "grace",
    "placeholder",
];

/// What every name of a credential holds.
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("(?i)pass|pwd|pw|key|token|secret|credential|auth|identified").expect("a constant")
});

/// Whether a text may name a credential at all; most do not, and are not looked at further.
pub(super) fn may_name(text: &str) -> bool {
    WORDS.is_match(text)
}

/// What a name says; nothing where it names no credential.
pub(super) fn strength(name: &str) -> Option<Strength> {
    if !may_name(name) {
        return None;
    }
    let words = words(name);
    let last = words.last()?.as_str();
    let about = |word: &str| matches!(word, "public" | "max" | "min");
    if HARMLESS_END.contains(&last) || words.iter().any(|word| about(word)) {
        return None;
    }
    let pair =
        |a: &str, b: &str| words.iter().zip(words.iter().skip(1)).any(|(x, y)| x == a && y == b);
    if ["password", "passwd", "pwd", "pass"].iter().any(|word| pair(word, "key")) {
        return Some(Strength::Reference);
    }
    if words.iter().any(|word| is_password(word)) || matches!(last, "pass" | "pwd" | "pw") {
        return Some(Strength::Password);
    }
    let key_before = [
        "api",
        "access",
        "account",
        "secret",
        "private",
        "signing",
        "encryption",
        "auth",
        "master",
    ];
    let keyed = key_before.iter().any(|word| pair(word, "key"));
    if keyed || words.iter().any(|word| is_token(word)) {
        return Some(Strength::Token);
    }
    let secret_of = ["client", "shared", "jwt", "session", "app", "webhook", "cookie", "hmac"];
    if secret_of.iter().any(|word| pair(word, "secret")) || pair("secret", "base") {
        return Some(Strength::Token);
    }
    let reference = ["secret", "secrets", "credential", "credentials", "keys", "tokens"];
    reference.contains(&last).then_some(Strength::Reference)
}

/// A word for a password, alone or glued to what it is for: `PGPASSWORD`, `requirepass`, `rootpw`.
fn is_password(word: &str) -> bool {
    const HARMLESS: [&str; 4] = ["bypass", "compass", "trespass", "overpass"];
    let ends = ["password", "passwd", "passphrase", "passcode", "pass", "rootpw", "masterauth"];
    word != "pass" && ends.iter().any(|end| word.ends_with(end)) && !HARMLESS.contains(&word)
}

/// A word for a token or key, alone or glued to what it is for.
fn is_token(word: &str) -> bool {
    let ends = ["token", "apikey", "secretkey", "accesskey", "privatekey", "clientsecret"];
    ends.iter().any(|end| word.ends_with(end))
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

#[cfg(test)]
mod tests {
    use super::{Strength, strength};

    #[test]
    fn a_name_says_what_its_value_may_be() {
        let cases = [
            ("DB_PASSWORD", Some(Strength::Password)),
            ("dbPassword", Some(Strength::Password)),
            ("PGPASSWORD", Some(Strength::Password)),
            ("requirepass", Some(Strength::Password)),
            ("masterauth", Some(Strength::Password)),
            ("MYSQL_PASS", Some(Strength::Password)),
            ("stripeApiKey", Some(Strength::Token)),
            ("X_AUTHTOKEN", Some(Strength::Token)),
            ("AWS_SECRET_ACCESS_KEY", Some(Strength::Token)),
            ("client-secret", Some(Strength::Token)),
            ("CREDENTIALS", Some(Strength::Reference)),
            ("existingPasswordKey", Some(Strength::Reference)),
        ];
        for (name, said) in cases {
            assert_eq!(strength(name), said, "{name}");
        }
    }

    #[test]
    fn a_name_about_a_credential_is_none() {
        let about = [
            "DB_PASSWORD_FILE",
            "password-stdin",
            "TOKEN_TTL",
            "JWT_PUBLIC_KEY",
            "PASSWORD_MIN_LENGTH",
            "minPassword",
            "tokenHeader",
            "PASSWORD_HASH",
            "bypass",
            "compass",
            "passthrough",
            "monkey",
            "tokenizer",
            "SECRET_NAME",
            "",
        ];
        for name in about {
            assert_eq!(strength(name), None, "{name}");
        }
    }
}
