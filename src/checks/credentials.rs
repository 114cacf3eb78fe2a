//! Words for the kinds of credential.

use crate::document::Credential;

/// What a withheld value was, for a label.
pub(super) const fn describe(credential: Credential) -> &'static str {
    match credential {
        Credential::PrivateKey => "a private key",
        Credential::ProductToken => "an access token",
        Credential::Jwt => "a signed token",
        Credential::UrlPassword => "a URL with a password",
        Credential::Named => "a literal value that the name calls a secret",
        Credential::DockerConfig => "a registry login",
    }
}
