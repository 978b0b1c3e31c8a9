//! The rules that decisions follow.

use core::fmt;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $section:literal, $text:literal;)*) => {
        /// Why something was decided, with the section that says so.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$doc])* $name,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The section of the standard, or `policy` where this cache is stricter than any
            /// standard.
            pub fn section(self) -> &'static str {
                match self {
                    $(Self::$name => $section,)*
                }
            }

            /// A short name in lower case, the same in logs, metrics and `Cache-Status`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

rules! {
    /// The response may be stored.
    Storable = "RFC 9111 §3", "storable";
    /// Only GET is stored, and only GET and HEAD are answered.
    Method = "RFC 9110 §9.2.3", "method";
    /// An unsafe method is always written through.
    UnsafeMethod = "RFC 9111 §4", "unsafe-method";
    /// The request asks for another protocol.
    Upgrade = "RFC 9110 §7.8", "upgrade";
    /// The request carries credentials, and the response does not allow sharing.
    Authorization = "RFC 9111 §3.5", "authorization";
    /// The request says `no-store`.
    RequestNoStore = "RFC 9111 §5.2.1.5", "request-no-store";
    /// The response says `no-store`.
    ResponseNoStore = "RFC 9111 §5.2.2.5", "no-store";
    /// The response says `private`.
    Private = "RFC 9111 §5.2.2.7", "private";
    /// The response depends on more than request fields.
    VaryStar = "RFC 9111 §4.1", "vary-star";
    /// The request's fields differ from those the stored response was chosen by.
    VaryMismatch = "RFC 9111 §4.1", "vary-mismatch";
    /// The response was chosen by a cookie or by credentials that the request carries.
    CredentialVariant = "policy", "credential-variant";
    /// A response that sets a cookie is for one visitor.
    SetCookie = "policy", "set-cookie";
    /// The response is not a final one.
    NotFinal = "RFC 9111 §3", "not-final";
    /// A part of a response, or a statement about one, is not stored by itself.
    Incomplete = "RFC 9111 §3.3", "incomplete";
    /// No strong validator says what a part is a part of.
    NoStrongValidator = "RFC 9111 §3.4", "no-strong-validator";
    /// The response says `must-understand` and its status is not understood.
    MustUnderstand = "RFC 9111 §5.2.2.3", "must-understand";
    /// The response says nothing about caching, and its status is not cacheable by default.
    NotCacheable = "RFC 9111 §3", "not-cacheable";
    /// The response could never be used again: no freshness and no validator.
    Useless = "policy", "useless";
    /// Something is longer than this cache handles.
    Limit = "policy", "limit";
    /// Nothing is stored.
    NothingStored = "RFC 9111 §4", "nothing-stored";
    /// The stored response is fresh.
    Fresh = "RFC 9111 §4.2", "fresh";
    /// The stored response is stale and nothing allows it.
    Stale = "RFC 9111 §4.2.4", "stale";
    /// The stored response is stale and says `must-revalidate`.
    MustRevalidate = "RFC 9111 §5.2.2.2", "must-revalidate";
    /// The stored response is stale and says `proxy-revalidate`.
    ProxyRevalidate = "RFC 9111 §5.2.2.8", "proxy-revalidate";
    /// The stored response is stale and says `s-maxage`.
    SharedMaxAge = "RFC 9111 §5.2.2.10", "s-maxage";
    /// The stored response says `no-cache`.
    ResponseNoCache = "RFC 9111 §5.2.2.4", "no-cache";
    /// The request says `no-cache`.
    RequestNoCache = "RFC 9111 §5.2.1.4", "request-no-cache";
    /// The request says `Pragma: no-cache` and has no `Cache-Control`.
    Pragma = "RFC 9111 §5.4", "pragma";
    /// The request wants a younger response.
    RequestMaxAge = "RFC 9111 §5.2.1.1", "request-max-age";
    /// The request wants a response that stays fresh for longer.
    RequestMinFresh = "RFC 9111 §5.2.1.3", "request-min-fresh";
    /// The request accepts a stale response.
    RequestMaxStale = "RFC 9111 §5.2.1.2", "request-max-stale";
    /// The request forbids asking the origin.
    OnlyIfCached = "RFC 9111 §5.2.1.7", "only-if-cached";
    /// The response allows staleness while it is validated.
    StaleWhileRevalidate = "RFC 5861 §3", "stale-while-revalidate";
    /// Staleness is allowed while the origin fails.
    StaleIfError = "RFC 5861 §4", "stale-if-error";
    /// The origin cannot be reached, and the policy allows staleness meanwhile.
    Disconnected = "RFC 9111 §4.2.4", "disconnected";
    /// `If-Match` and `If-Unmodified-Since` are for the origin.
    OriginPrecondition = "RFC 9111 §4.3.2", "origin-precondition";
    /// The stored response has a tag that `If-None-Match` names.
    IfNoneMatch = "RFC 9110 §13.1.2", "if-none-match";
    /// The stored response is not younger than `If-Modified-Since`.
    IfModifiedSince = "RFC 9110 §13.1.3", "if-modified-since";
    /// The whole response answers.
    Whole = "RFC 9110 §15.3.1", "whole";
    /// One range of it answers.
    Range = "RFC 9110 §14.2", "range";
    /// Several ranges of it answer.
    Ranges = "RFC 9110 §14.6", "ranges";
    /// The range is not one this cache answers with a part.
    RangeIgnored = "RFC 9110 §14.2", "range-ignored";
    /// The client's part belongs to another representation.
    IfRange = "RFC 9110 §13.1.5", "if-range";
    /// The range starts behind the end.
    RangeNotSatisfiable = "RFC 9110 §15.5.17", "range-not-satisfiable";
    /// A 304 renews the stored response.
    Validated = "RFC 9111 §4.3.4", "validated";
    /// A 304 speaks of another representation than the stored one.
    ValidatorMismatch = "RFC 9111 §4.3.4", "validator-mismatch";
    /// The answer to HEAD renews the stored response.
    HeadValidated = "RFC 9111 §4.3.5", "head-validated";
    /// The answer to HEAD speaks of another representation than the stored one.
    HeadMismatch = "RFC 9111 §4.3.5", "head-mismatch";
    /// An unsafe method succeeded.
    Invalidation = "RFC 9111 §4.4", "invalidation";
    /// The service's own rules say that nothing is stored.
    RulesOff = "policy", "rules-off";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.section())
    }
}
