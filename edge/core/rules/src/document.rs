//! A rules document: TOML as customers write it, read into what requests are matched against.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;
use toml::Spanned;

use crate::condition::When;
use crate::cors::Cors;
use crate::edit::{Edit, Side};
use crate::key::KeyText;
use crate::limiter::Rate;
use crate::loops;
use crate::origins::{Origin, OriginText};
use crate::pattern::HostPattern;
use crate::signed::{Key, KeyLine, Signed};
use crate::store::StoreText;
use crate::template::Template;
use crate::words::{status, FieldWord, List, Time, Word};
use crate::{Error, Limits};

/// Statuses of answers that deny.
const DENYING: [u16; 7] = [400, 401, 403, 404, 410, 429, 451];
/// Statuses of redirects.
const REDIRECTING: [u16; 5] = [301, 302, 303, 307, 308];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentText {
    version: Spanned<u32>,
    #[serde(default)]
    rule: Vec<Spanned<RuleText>>,
    #[serde(default)]
    key: Vec<Spanned<KeyLine>>,
    #[serde(default)]
    origin: Vec<Spanned<OriginText>>,
    #[serde(default)]
    error_page: Vec<Spanned<ErrorPageText>>,
    prefetch: Option<Spanned<List<String>>>,
    #[serde(default)]
    sign_requests: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    name: Option<String>,
    #[serde(default)]
    when: When,
    #[serde(default)]
    last: bool,
    cache: Option<StoreText>,
    key: Option<KeyText>,
    request: Option<Edit>,
    response: Option<Edit>,
    redirect: Option<RedirectText>,
    rewrite: Option<Word<Template>>,
    cors: Option<Cors>,
    deny: Option<DenyText>,
    page: Option<PageText>,
    signed: Option<Signed>,
    limit: Option<LimitText>,
    hotlink: Option<Hotlink>,
    compress: Option<CompressText>,
    origin: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RedirectText {
    to: Word<Template>,
    status: Option<u16>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DenyText {
    status: Option<u16>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageText {
    status: Option<u16>,
    text: String,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorPageText {
    status: Vec<u16>,
    text: String,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitText {
    requests: u32,
    per: Word<Time>,
    burst: Option<u32>,
}

/// Whose pages may show what is served.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hotlink {
    #[serde(default)]
    pub allow: List<HostPattern>,
    /// Whether those who do not say where they come from may not have it.
    #[serde(default)]
    pub refuse_unknown: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompressText {
    codings: Option<Vec<Coding>>,
    types: Option<Vec<String>>,
    min_bytes: Option<u64>,
}

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Coding {
    /// Zstandard (RFC 8878).
    Zstd,
    /// Brotli (RFC 7932).
    Br,
    /// gzip (RFC 1952).
    Gzip,
}

impl Coding {
    /// As it stands in `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Br => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// What is compressed on its way to visitors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compression {
    /// The codings, the one that is preferred first.
    pub codings: Vec<Coding>,
    /// Media types without parameters; one may end in `/*`.
    pub types: Vec<String>,
    /// What is shorter, in octets, stays as it is.
    pub min_bytes: u64,
}

/// Where a redirect leads.
#[derive(Clone, Debug)]
pub(crate) struct Redirect {
    pub to: Template,
    pub status: StatusCode,
}

/// A text that visitors get.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub status: StatusCode,
    pub text: String,
    pub kind: String,
}

/// One rule, checked.
#[derive(Debug)]
pub(crate) struct Rule {
    pub name: String,
    pub when: When,
    pub is_last: bool,
    pub store: Option<StoreText>,
    pub key: Option<KeyText>,
    pub request: Option<Edit>,
    pub response: Option<Edit>,
    pub redirect: Option<Redirect>,
    pub rewrite: Option<Template>,
    pub cors: Option<Cors>,
    pub deny: Option<StatusCode>,
    pub page: Option<Page>,
    pub signed: Option<Signed>,
    pub limit: Option<Rate>,
    pub hotlink: Option<Hotlink>,
    pub compression: Option<Compression>,
    pub origin: Option<usize>,
}

/// A document that can be obeyed.
#[derive(Debug)]
pub struct Rules {
    pub(crate) rules: Vec<Rule>,
    pub(crate) keys: Vec<Key>,
    pub(crate) origins: Vec<Origin>,
    pub(crate) error_pages: Vec<(Vec<u16>, Page)>,
    pub(crate) prefetch: Vec<String>,
    pub(crate) signs_requests: bool,
    /// Fields of a request whose values count in every key of the service.
    pub(crate) key_fields: Vec<String>,
    /// Whether something else counts, under [`crate::KEY_FIELD`].
    pub(crate) is_counted: bool,
    /// Fields of visitors that what counts was made of.
    pub(crate) looked_at: Vec<String>,
}

impl Rules {
    /// Reads a document.
    ///
    /// `may_be_private` says whether origins may have addresses that only some can reach, as an
    /// operator may allow on a network on one machine. Errors: the first fault, with its place.
    pub fn parse(text: &str, may_be_private: bool) -> Result<Self, Error> {
        if text.len() > Limits::DOCUMENT {
            let reason = format!(
                "the document is longer than {} octets: remove rules",
                Limits::DOCUMENT
            );
            return Err(Error::at(text, Limits::DOCUMENT, reason));
        }
        let read: DocumentText = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            Error::at(text, at, error.message())
        })?;
        let at =
            |span: core::ops::Range<usize>, reason: String| Error::at(text, span.start, reason);
        if *read.version.get_ref() != 1 {
            return Err(at(
                read.version.span(),
                "this version is not known: write `version = 1`".to_owned(),
            ));
        }
        if read.rule.len() > Limits::RULES {
            let span = read.rule[Limits::RULES].span();
            return Err(at(span, format!("more than {} rules", Limits::RULES)));
        }
        let mut rules = Self {
            rules: Vec::with_capacity(read.rule.len()),
            keys: Vec::new(),
            origins: Vec::new(),
            error_pages: Vec::new(),
            prefetch: Vec::new(),
            signs_requests: read.sign_requests,
            key_fields: Vec::new(),
            is_counted: false,
            looked_at: Vec::new(),
        };
        for line in read.key {
            let span = line.span();
            let key = line
                .into_inner()
                .read()
                .map_err(|reason| at(span.clone(), reason))?;
            if rules.keys.iter().any(|other| other.id == key.id) || rules.keys.len() >= 16 {
                return Err(at(
                    span,
                    "two keys with one id, or more than 16 keys".to_owned(),
                ));
            }
            rules.keys.push(key);
        }
        for line in read.origin {
            let span = line.span();
            let origin = line
                .into_inner()
                .read(may_be_private)
                .map_err(|reason| at(span.clone(), reason))?;
            if rules.origins.iter().any(|other| other.name == origin.name)
                || rules.origins.len() >= 16
            {
                return Err(at(
                    span,
                    "two origins with one name, or more than 16 origins".to_owned(),
                ));
            }
            rules.origins.push(origin);
        }
        for line in read.error_page {
            let span = line.span();
            let page = line
                .into_inner()
                .read()
                .map_err(|reason| at(span.clone(), reason))?;
            if rules.error_pages.len() >= 32 {
                return Err(at(span, "more than 32 error pages".to_owned()));
            }
            rules.error_pages.push(page);
        }
        if let Some(paths) = read.prefetch {
            let span = paths.span();
            rules.prefetch = paths.into_inner().0;
            if let Some(path) = rules.prefetch.iter().find(|path| !is_target(path)) {
                return Err(at(
                    span,
                    format!("`{path}` is no path: write it as it stands after the host"),
                ));
            }
        }
        let mut spans = Vec::with_capacity(read.rule.len());
        let (mut expressions, mut signed) = (0, 0);
        for line in read.rule {
            let span = line.span();
            let number = rules.rules.len() + 1;
            let rule = line
                .into_inner()
                .read(number, &rules)
                .map_err(|reason| at(span.clone(), reason))?;
            signed += usize::from(rule.signed.is_some());
            if signed > Limits::SIGNED {
                let text = format!(
                    "more than {} rules want signatures: name several paths in one",
                    Limits::SIGNED
                );
                return Err(at(span, text));
            }
            expressions += rule.when.expressions();
            if expressions > Limits::EXPRESSIONS {
                let text = format!(
                    "more than {} patterns that need an expression: use `/path/**`",
                    Limits::EXPRESSIONS
                );
                return Err(at(span, text));
            }
            rules.rules.push(rule);
            spans.push(span);
        }
        rules
            .count()
            .map_err(|(rule, reason)| at(spans[rule].clone(), reason))?;
        if let Some((rule, reason)) = loops::find(&rules) {
            return Err(at(spans[rule].clone(), reason));
        }
        Ok(rules)
    }

    /// Sees what counts in keys.
    fn count(&mut self) -> Result<(), (usize, String)> {
        let mut names = BTreeMap::new();
        let mut looked_at = BTreeMap::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let edited = rule
                .request
                .iter()
                .flat_map(Edit::names)
                .map(|name| name.as_str().to_owned());
            let keyed = rule
                .key
                .iter()
                .flat_map(|key| key.headers.iter())
                .map(|name| name.0.clone());
            let before = names.len();
            names.extend(
                edited
                    .filter(|name| name != "cookie")
                    .chain(keyed)
                    .map(|name| (name, ())),
            );
            let is_counted = rule.origin.is_some()
                || rule.key.as_ref().is_some_and(|key| key.cookies.is_some())
                || rule.store.as_ref().is_some_and(StoreText::forces);
            if is_counted || names.len() > before {
                rule.when.fields(&mut looked_at);
            }
            if rule
                .key
                .as_ref()
                .is_some_and(|key| key.cookies.as_ref().is_some_and(|list| !list.is_empty()))
            {
                looked_at.insert("cookie".to_owned(), ());
            }
            self.is_counted |= is_counted;
            if names.len() > Limits::KEY_FIELDS {
                let text = format!(
                    "more than {} fields of requests are set or counted: each would have every answer stored once more",
                    Limits::KEY_FIELDS
                );
                return Err((index, text));
            }
        }
        self.key_fields = names.into_keys().collect();
        self.looked_at = looked_at.into_keys().collect();
        Ok(())
    }

    /// Whether an answer that is stored and fresh leaves as it would without them: they say nothing but
    /// how long what is fetched stays fresh.
    pub fn spare_hits(&self) -> bool {
        self.rules.iter().all(|rule| {
            let Rule {
                name: _,
                when: _,
                is_last: _,
                store,
                key: None,
                request: None,
                response: None,
                redirect: None,
                rewrite: None,
                cors: None,
                deny: None,
                page: None,
                signed: None,
                limit: None,
                hotlink: None,
                compression: None,
                origin: None,
            } = rule
            else {
                return false;
            };
            store.as_ref().is_none_or(StoreText::spares_hits)
        })
    }

    /// How many rules it has.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether it has no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The name of a rule, for logs.
    pub fn name(&self, rule: usize) -> &str {
        self.rules.get(rule).map_or("", |rule| &rule.name)
    }

    /// Sources that rules may choose.
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// Whether gateways sign what they ask the origin, so that it can tell them from others.
    pub fn signs_requests(&self) -> bool {
        self.signs_requests
    }

    /// Targets to have at hand before visitors ask.
    pub fn prefetch(&self) -> &[String] {
        &self.prefetch
    }

    /// The text that visitors get in place of an answer with this status, with its media type.
    pub fn error_page(&self, status: StatusCode) -> Option<(&str, &str)> {
        let page = self
            .error_pages
            .iter()
            .find(|(statuses, _)| statuses.contains(&status.as_u16()));
        page.map(|(_, page)| (page.text.as_str(), page.kind.as_str()))
    }
}

fn is_target(text: &str) -> bool {
    text.starts_with('/')
        && text.len() <= 2_048
        && text
            .bytes()
            .all(|byte| byte > b' ' && byte < 0x7f && byte != b'#')
}

fn page(text: String, kind: Option<String>, status: StatusCode) -> Result<Page, String> {
    if text.len() > Limits::TEXT {
        return Err(format!(
            "the text is longer than {} octets: shorten it",
            Limits::TEXT
        ));
    }
    let kind = kind.unwrap_or_else(|| "text/html; charset=utf-8".to_owned());
    if !kind.contains('/') || http::HeaderValue::from_str(&kind).is_err() || kind.len() > 128 {
        return Err("`type` is a media type, such as \"text/plain\"".to_owned());
    }
    Ok(Page { status, text, kind })
}

impl ErrorPageText {
    fn read(self) -> Result<(Vec<u16>, Page), String> {
        if self.status.is_empty()
            || self.status.len() > 32
            || self
                .status
                .iter()
                .any(|status| !(400..600).contains(status))
        {
            return Err("`status` names 1 to 32 statuses from 400 to 599".to_owned());
        }
        let page = page(self.text, self.kind, StatusCode::OK)?;
        Ok((self.status, page))
    }
}

impl CompressText {
    fn read(self) -> Result<Compression, String> {
        let codings = self
            .codings
            .unwrap_or_else(|| vec![Coding::Zstd, Coding::Br, Coding::Gzip]);
        if codings.is_empty() || codings.len() > 3 {
            return Err(
                "`compress.codings` names one to three of \"zstd\", \"br\" and \"gzip\"".to_owned(),
            );
        }
        let usual = [
            "text/*",
            "application/javascript",
            "application/json",
            "application/xml",
            "image/svg+xml",
            "application/wasm",
        ];
        let types = self
            .types
            .unwrap_or_else(|| usual.map(str::to_owned).to_vec());
        let is_type =
            |kind: &String| kind.len() <= 128 && kind.contains('/') && !kind.contains([';', ' ']);
        if types.len() > Limits::LIST || !types.iter().all(is_type) {
            return Err(
                "`compress.types` names media types without parameters, such as \"text/*\""
                    .to_owned(),
            );
        }
        Ok(Compression {
            codings,
            types: types.iter().map(|kind| kind.to_ascii_lowercase()).collect(),
            min_bytes: self.min_bytes.unwrap_or(1_024).max(64),
        })
    }
}

impl RuleText {
    fn read(self, number: usize, rules: &Rules) -> Result<Rule, String> {
        let name = self.name.unwrap_or_else(|| format!("rule {number}"));
        if name.is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
            return Err("`name` has 1 to 64 characters".to_owned());
        }
        if self.when.depth() > 2 {
            return Err("`not` within `not`: write it without".to_owned());
        }
        if let Some(fault) = self.cache.as_ref().and_then(StoreText::fault) {
            return Err(fault.to_owned());
        }
        if let Some(fault) = self.cors.as_ref().and_then(Cors::fault) {
            return Err(fault.to_owned());
        }
        for (edit, side) in [
            (&self.request, Side::Request),
            (&self.response, Side::Response),
        ] {
            if let Some(fault) = edit.as_ref().and_then(|edit| edit.fault(side)) {
                return Err(fault);
            }
        }
        if let Some(key) = &self.key {
            check_key(key)?;
        }
        let answers = [
            self.redirect.is_some(),
            self.deny.is_some(),
            self.page.is_some(),
        ];
        if answers.iter().filter(|answers| **answers).count() > 1 {
            return Err("of `redirect`, `deny` and `page` a rule has one: the others would never be reached".to_owned());
        }
        let captures = self.when.captures();
        let is_too_high = |template: &Template| template.captures() > captures;
        let redirect = match self.redirect {
            Some(text) if is_too_high(&text.to.0) => {
                return Err(no_capture("redirect.to", captures))
            }
            Some(text) => Some(Redirect {
                to: text.to.0,
                status: status(text.status.unwrap_or(302), &REDIRECTING)?,
            }),
            None => None,
        };
        let rewrite = match self.rewrite {
            Some(Word(template)) if is_too_high(&template) => return Err(no_capture("rewrite", captures)),
            Some(Word(template)) if !template.is_path() => {
                return Err("`rewrite` leads to a path of the same origin: begin it with `/`, or use `redirect`".to_owned())
            }
            rewrite => rewrite.map(|word| word.0),
        };
        if let Some(signed) = &self.signed {
            let unknown = signed
                .keys
                .iter()
                .find(|id| !rules.keys.iter().any(|key| key.id == **id));
            if let Some(id) = unknown {
                return Err(format!("no `[[key]]` has the id `{id}`"));
            }
            if signed.keys.is_empty() {
                return Err("`signed.keys` is empty: nobody could sign".to_owned());
            }
        }
        let origin = match self.origin {
            Some(name) => {
                let found = rules.origins.iter().position(|origin| origin.name == name);
                Some(found.ok_or_else(|| format!("no `[[origin]]` has the name `{name}`"))?)
            }
            None => None,
        };
        Ok(Rule {
            name,
            when: self.when,
            is_last: self.last,
            store: self.cache,
            key: self.key,
            request: self.request,
            response: self.response,
            redirect,
            rewrite,
            cors: self.cors,
            deny: match self.deny {
                Some(text) => Some(status(text.status.unwrap_or(403), &DENYING)?),
                None => None,
            },
            page: match self.page {
                Some(text) => {
                    let code = text.status.unwrap_or(200);
                    let code = StatusCode::from_u16(code)
                        .ok()
                        .filter(|code| matches!(code.as_u16(), 200..=299 | 400..=599));
                    let code = code.filter(|code| !matches!(code.as_u16(), 204..=206));
                    let code = code.ok_or("`page.status` is 200 or one from 400 to 599")?;
                    Some(page(text.text, text.kind, code)?)
                }
                None => None,
            },
            signed: self.signed,
            limit: self.limit.map(LimitText::read).transpose()?,
            hotlink: self.hotlink,
            compression: self.compress.map(CompressText::read).transpose()?,
            origin,
        })
    }
}

fn no_capture(field: &str, captures: usize) -> String {
    format!("`{field}` asks for more captures than each path of the rule has ({captures}): a star is one")
}

fn check_key(key: &KeyText) -> Result<(), String> {
    if key
        .query
        .as_ref()
        .is_some_and(|query| query.only.is_some() && query.except.is_some())
    {
        return Err("`key.query` has `only` or `except`, not both".to_owned());
    }
    let is_secret = |name: &&FieldWord| {
        matches!(
            name.0.as_str(),
            "cookie" | "authorization" | "proxy-authorization"
        )
    };
    if let Some(name) = key.headers.iter().find(is_secret) {
        return Err(format!(
            "`{}` is not told to caches: name the cookies that count in `key.cookies`",
            name.0
        ));
    }
    Ok(())
}

impl LimitText {
    fn read(self) -> Result<Rate, String> {
        let micros = u64::from(self.per.0 .0) * 1_000_000;
        if self.requests == 0 || micros == 0 || self.requests > 1_000_000 {
            return Err(
                "`limit.requests` is 1 to 1,000,000, and `limit.per` at least \"1s\"".to_owned(),
            );
        }
        let burst = self.burst.unwrap_or(self.requests);
        if burst == 0 || burst > 1_000_000 {
            return Err("`limit.burst` is 1 to 1,000,000".to_owned());
        }
        Ok(Rate {
            interval: (micros / u64::from(self.requests)).max(1),
            burst,
        })
    }
}
