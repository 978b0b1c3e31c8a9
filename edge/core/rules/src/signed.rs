//! Addresses that only who holds a key can give away: signed URLs and cookies.
//!
//! ```text
//! URL     …?selvedge-expires=SECONDS&selvedge-key=ID[&selvedge-prefix=/path/]&selvedge-signature=HEX
//! cookie  selvedge-signed=ID:SECONDS:/path/:HEX
//! signed  "selvedge-signed-v1\n" host "\n" scope "\n" seconds
//! scope   "path " target without these parameters  |  "prefix " beginning of the path
//! ```
//!
//! A rules document is public, so it cannot hold the secret of a MAC: signatures are Ed25519, and the
//! document has the public key.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use selvedge_primitives_types::Millis;
use serde::Deserialize;

use crate::condition::Asked;
use crate::request::{members, plain, plain_path};
use crate::words::List;

const EXPIRES: &str = "selvedge-expires";
const KEY: &str = "selvedge-key";
const PREFIX: &str = "selvedge-prefix";
const SIGNATURE: &str = "selvedge-signature";
const COOKIE: &str = "selvedge-signed";

/// What a signature gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// This path with this query, as it is asked for.
    Target(String),
    /// Every path that begins so.
    Prefix(String),
}

/// Why nothing is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// It is no path, or one that servers read in another way.
    #[error("not a path in its one form: no `//`, no dot segments, no `%` where none is needed")]
    Path,
    /// The id is not one that a document can have.
    #[error("not a key's id: 1 to 32 letters, digits, `-` and `_`")]
    Id,
}

/// A key of the document.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub id: String,
    pub key: VerifyingKey,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyLine {
    id: String,
    ed25519: String,
}

impl KeyLine {
    pub fn read(self) -> Result<Key, String> {
        if !is_id(&self.id) {
            return Err(SignError::Id.to_string());
        }
        let octets = hex::decode(&self.ed25519)
            .ok()
            .and_then(|octets| <[u8; 32]>::try_from(octets).ok());
        let key = octets
            .and_then(|octets| VerifyingKey::from_bytes(&octets).ok())
            .filter(|key| !key.is_weak());
        let key = key.ok_or("`ed25519` is a public key: 64 hexadecimal digits, as `selvedge rules keygen` prints them")?;
        Ok(Key { id: self.id, key })
    }
}

/// A rule that wants a signature.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signed {
    /// Ids of the keys that count.
    pub keys: List<String>,
    /// Whether a cookie counts too.
    #[serde(default)]
    pub cookies: bool,
}

impl Signed {
    /// Whether the request carries a signature that counts now.
    pub fn is_given(&self, asked: &Asked<'_>, keys: &[Key], now: Millis) -> bool {
        let request = asked.request;
        let named = |name: &str| {
            let mut values = request
                .parameters()
                .filter(|(own, _)| own == name)
                .map(|(_, value)| value);
            let value = values.next()?;
            // Of two values nobody can say which one counts.
            values.next().is_none().then(|| value.into_owned())
        };
        let by_query = || {
            let (expires, key, signature) = (named(EXPIRES)?, named(KEY)?, named(SIGNATURE)?);
            let grant = match named(PREFIX) {
                Some(prefix) => Grant::Prefix(prefix),
                None => Grant::Target(unsigned(request.target)),
            };
            Some((key, expires, grant, signature))
        };
        let by_cookie = || {
            let mut values = request.cookies().filter(|(name, _)| *name == COOKIE);
            let (_, value) = values.next().filter(|_| self.cookies)?;
            let (rest, signature) = value.rsplit_once(':')?;
            let mut parts = rest.splitn(3, ':');
            let (key, expires, prefix) = (parts.next()?, parts.next()?, parts.next()?);
            Some((
                key.to_owned(),
                expires.to_owned(),
                Grant::Prefix(prefix.to_owned()),
                signature.to_owned(),
            ))
        };
        [by_query(), by_cookie()]
            .into_iter()
            .flatten()
            .any(|(key, expires, grant, signature)| {
                let covers = match &grant {
                    Grant::Target(_) => true,
                    Grant::Prefix(prefix) => {
                        prefix.starts_with('/') && asked.path.starts_with(prefix.as_bytes())
                    }
                };
                let is_digits =
                    !expires.is_empty() && expires.bytes().all(|byte| byte.is_ascii_digit());
                let seconds = expires.parse::<u64>().ok().filter(|_| is_digits);
                let is_now = seconds.is_some_and(|seconds| now.0 < seconds.saturating_mul(1_000));
                let key = keys
                    .iter()
                    .find(|own| own.id == key && self.keys.contains(&own.id));
                let mut octets = [0; 64];
                let is_hex = hex::decode_to_slice(&signature, &mut octets).is_ok();
                covers
                    && is_now
                    && is_hex
                    && key.is_some_and(|key| {
                        let message = message(request.host, &grant, &expires);
                        // Over public values only, so its time tells nothing.
                        key.key
                            .verify_strict(message.as_bytes(), &Signature::from_bytes(&octets))
                            .is_ok()
                    })
            })
    }
}

/// A target without the parameters of its signature.
pub(crate) fn unsigned(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let is_own = |member: &&str| {
        let name = plain(member.split('=').next().unwrap_or_default());
        !matches!(&*name, EXPIRES | KEY | PREFIX | SIGNATURE)
    };
    let kept: Vec<&str> = members(query).filter(is_own).collect();
    if kept.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", kept.join("&"))
    }
}

fn is_id(id: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !id.is_empty() && id.len() <= 32 && id.bytes().all(is_part)
}

fn message(host: &str, grant: &Grant, expires: &str) -> String {
    let scope = match grant {
        Grant::Target(target) => format!("path {target}"),
        Grant::Prefix(prefix) => format!("prefix {prefix}"),
    };
    format!("selvedge-signed-v1\n{host}\n{scope}\n{expires}")
}

fn signature(
    host: &str,
    grant: &Grant,
    (id, key): (&str, &SigningKey),
    expires: u64,
) -> Result<String, SignError> {
    let (Grant::Target(text) | Grant::Prefix(text)) = grant;
    let path = text.split('?').next().unwrap_or_default();
    if !path.starts_with('/')
        || plain_path(path.as_bytes()) != path.as_bytes()
        || text.contains([' ', '\n', ';', ','])
    {
        return Err(SignError::Path);
    }
    if !is_id(id) {
        return Err(SignError::Id);
    }
    let message = message(host, grant, &expires.to_string());
    Ok(hex::encode(key.sign(message.as_bytes()).to_bytes()))
}

/// Path and query of a signed URL that is good until `expires`, in seconds of Unix time. `target` is
/// what is asked for with it.
///
/// Errors: [`SignError`].
pub fn sign_url(
    host: &str,
    target: &str,
    grant: &Grant,
    by: (&str, &SigningKey),
    expires: u64,
) -> Result<String, SignError> {
    let signature = signature(host, grant, by, expires)?;
    let sign = if target.contains('?') { '&' } else { '?' };
    let prefix = match grant {
        Grant::Prefix(prefix) => format!("&{PREFIX}={prefix}"),
        Grant::Target(_) => String::new(),
    };
    let id = by.0;
    Ok(format!(
        "{target}{sign}{EXPIRES}={expires}&{KEY}={id}{prefix}&{SIGNATURE}={signature}"
    ))
}

/// The cookie, as `Set-Cookie` begins, that is good for every path of a beginning until `expires`.
///
/// Errors: [`SignError`].
pub fn sign_cookie(
    host: &str,
    prefix: &str,
    by: (&str, &SigningKey),
    expires: u64,
) -> Result<String, SignError> {
    let signature = signature(host, &Grant::Prefix(prefix.to_owned()), by, expires)?;
    let id = by.0;
    Ok(format!("{COOKIE}={id}:{expires}:{prefix}:{signature}"))
}
