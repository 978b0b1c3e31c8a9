//! The bearer token of the control server.

use std::fmt;

use subtle::ConstantTimeEq;

/// The fewest characters of a token: 128 bits in hex.
const MIN_LENGTH: usize = 32;
/// The most characters of a token.
const MAX_LENGTH: usize = 256;

/// A secret that the chain node and its daemon share.
#[derive(Clone)]
pub struct Token(String);

/// The text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token has 32 to 256 visible ASCII characters")]
pub struct TokenError;

impl Token {
    /// Reads a token; blanks around it are left out, so that a file may end with a line break.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let is_valid = (MIN_LENGTH..=MAX_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_valid.then(|| Self(text.to_owned())).ok_or(TokenError)
    }

    /// Whether an `Authorization` field carries the token. Takes the same time wherever the two
    /// differ.
    pub fn is_in(&self, authorization: Option<&[u8]>) -> bool {
        let Some((scheme, shown)) = authorization.and_then(|field| field.split_at_checked(7))
        else {
            return false;
        };
        scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(shown.ct_eq(self.0.as_bytes()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_opens() {
        let secret = "0123456789abcdef0123456789abcdef";
        let token = Token::parse(&format!(" {secret}\n")).unwrap();
        assert!(token.is_in(Some(format!("Bearer {secret}").as_bytes())));
        for wrong in [
            String::new(),
            "Bearer".to_owned(),
            format!("Bearer {}", &secret[..31]),
            format!("Bearer {secret}0"),
            format!("Bearer {}", secret.to_uppercase()),
            format!("Basic {secret}"),
            secret.to_owned(),
        ] {
            assert!(!token.is_in(Some(wrong.as_bytes())), "{wrong}");
        }
        assert!(!token.is_in(None));
        assert!(Token::parse("short").is_err());
        assert!(!format!("{token:?}").contains(secret));
    }
}
