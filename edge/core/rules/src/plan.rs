//! What the rules make of one request.

use std::net::IpAddr;
use std::sync::Arc;

use http::{header, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use selvedge_primitives_types::Millis;

use crate::answer::{Answer, Why};
use crate::condition::{canonical, Asked, Steps};
use crate::document::{Compression, Hotlink, Rules};
use crate::edit::keep_cookies;
use crate::key::counted;
use crate::limiter::Rate;
use crate::loops;
use crate::origins::Origin;
use crate::request::{plain_path, Request};
use crate::signed::unsigned;
use crate::store::Store;
use crate::{Limits, Overrun, KEY_FIELD};

/// Who counts the requests of clients.
pub trait RateMeter {
    /// Takes one request of a client under a rule. The error is the time until the next one may
    /// come.
    fn take(&mut self, rule: usize, client: IpAddr, rate: Rate) -> Result<(), Millis>;
}

/// Lets everybody through: for looking at what would happen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unmetered;

impl RateMeter for Unmetered {
    fn take(&mut self, _: usize, _: IpAddr, _: Rate) -> Result<(), Millis> {
        Ok(())
    }
}

/// What the rules make of a request.
#[derive(Clone, Debug)]
pub struct Plan {
    rules: Arc<Rules>,
    /// Rules that apply, in their order.
    pub matched: Vec<usize>,
    /// What the visitor gets at once.
    pub answer: Option<Answer>,
    /// Path and query to ask for instead of the visitor's; `None` for the visitor's own.
    pub target: Option<String>,
    /// Path and query of the key, where it is not that of what is asked for: what a request changes is
    /// stored without the parameters that do not count.
    pub key: Option<String>,
    /// Fields to ask with instead of the visitor's; `None` for the visitor's own.
    pub fields: Option<HeaderMap>,
    /// What they say of storing.
    pub store: Store,
    /// Whether too much counts for a key, so that nothing is stored.
    pub is_overlong: bool,
    origin: Option<usize>,
    compression: Option<usize>,
    keeps_cookies: bool,
}

impl Rules {
    /// What the rules make of a request.
    ///
    /// Errors: [`Overrun`], where they do not end or lead nowhere; the visitor then gets an error.
    pub fn plan(
        self: &Arc<Self>,
        request: &Request<'_>,
        now: Millis,
        meter: &mut dyn RateMeter,
    ) -> Result<Plan, Overrun> {
        if request.path().len() > Limits::PATH {
            return Err(Overrun::Steps);
        }
        let path = plain_path(request.path().as_bytes());
        let asked = Asked {
            request,
            path: &path,
        };
        let mut steps = Steps::new();
        let mut plan = Plan {
            rules: self.clone(),
            matched: Vec::new(),
            answer: None,
            target: None,
            key: None,
            fields: None,
            store: Store::default(),
            is_overlong: false,
            origin: None,
            compression: None,
            keeps_cookies: true,
        };
        let (mut rewrite, mut query, mut cookies, mut is_signed) = (None, None, None, false);
        for (index, rule) in self.rules.iter().enumerate() {
            let Some(captured) = rule.when.matches(&asked, &mut steps)? else {
                continue;
            };
            plan.matched.push(index);
            plan.answer =
                self.answer_of(index, (&asked, &captured), (now, &mut *meter), &mut steps)?;
            if plan.answer.is_some() {
                return Ok(plan);
            }
            is_signed |= rule.signed.is_some();
            if let Some(store) = &rule.store {
                store.apply(&mut plan.store);
            }
            if let Some(template) = &rule.rewrite {
                rewrite = Some((template.fill(request, &captured), template.has_query()));
            }
            if let Some(key) = &rule.key {
                query = key.query.as_ref().or(query);
                cookies = key.cookies.as_ref().or(cookies);
            }
            plan.origin = rule.origin.or(plan.origin);
            if rule.compression.is_some() {
                plan.compression = Some(index);
            }
            if rule.is_last {
                break;
            }
        }
        let mut target = if is_signed {
            unsigned(request.target)
        } else {
            request.target.to_owned()
        };
        if let Some((rewritten, has_query)) = rewrite {
            let is_path = has_valid_path(&rewritten);
            target = match target.split_once('?') {
                _ if !is_path => return Err(Overrun::Path),
                Some((_, query)) if !has_query => format!("{rewritten}?{query}"),
                _ => rewritten,
            };
        }
        let mut key = None;
        if let (Some(text), Some((path, query))) = (query, target.split_once('?')) {
            let reduced = text.reduced(query);
            if reduced != query {
                key = Some(match reduced.is_empty() {
                    true => path.to_owned(),
                    false => format!("{path}?{reduced}"),
                });
            }
        }
        if let Some(key) = key.take_if(|_| request.is_shared()) {
            target = key;
        }
        plan.key = key;
        plan.target = (target != request.target).then_some(target);
        self.set_fields(&mut plan, request, cookies);
        Ok(plan)
    }

    /// The fields to ask with.
    fn set_fields(
        &self,
        plan: &mut Plan,
        request: &Request<'_>,
        cookies: Option<&crate::words::List<crate::pattern::TextPattern>>,
    ) {
        let edits: Vec<_> = plan
            .matched
            .iter()
            .filter_map(|rule| self.rules[*rule].request.as_ref())
            .collect();
        let hides_cookies = request.is_shared() && (cookies.is_some() || plan.store.is_forced);
        let is_claimed = request.headers.contains_key(KEY_FIELD);
        if edits.is_empty() && !hides_cookies && !self.is_counted && !is_claimed {
            return;
        }
        let mut fields = request.headers.clone();
        // Nobody but this gateway says what counts.
        fields.remove(KEY_FIELD);
        for edit in edits {
            edit.apply(&mut fields);
        }
        if hides_cookies {
            plan.keeps_cookies = false;
            keep_cookies(&mut fields, |name| {
                cookies.is_some_and(|list| list.iter().any(|one| one.matches(name)))
            });
        }
        if self.is_counted && request.is_shared() {
            let origin = plan.origin.map(|origin| self.origins[origin].name.as_str());
            let text = counted(request, cookies, origin, plan.store.is_forced);
            plan.is_overlong = text.len() > Limits::KEYED;
            if let (false, Ok(value)) = (
                text.is_empty() || plan.is_overlong,
                HeaderValue::from_str(&text),
            ) {
                fields.insert(HeaderName::from_static(KEY_FIELD), value);
            }
        }
        plan.fields = Some(fields);
    }

    fn answer_of(
        &self,
        index: usize,
        (asked, captured): (&Asked<'_>, &[&[u8]]),
        (now, meter): (Millis, &mut dyn RateMeter),
        steps: &mut Steps,
    ) -> Result<Option<Answer>, Overrun> {
        let rule = &self.rules[index];
        let request = asked.request;
        if let Some(status) = rule.deny {
            return Ok(Some(text(status, "This is not for you.", Why::Denied)));
        }
        if rule
            .hotlink
            .as_ref()
            .is_some_and(|hotlink| hotlink.refuses(request))
        {
            let words = "This is not to be shown on other sites.";
            return Ok(Some(text(StatusCode::FORBIDDEN, words, Why::Hotlink)));
        }
        if rule
            .signed
            .as_ref()
            .is_some_and(|signed| !signed.is_given(asked, &self.keys, now))
        {
            let words =
                "This address needs a signature, and the one it has does not count or has run out.";
            return Ok(Some(text(StatusCode::FORBIDDEN, words, Why::Unsigned)));
        }
        if let Some(rate) = rule.limit {
            if let Err(wait) = meter.take(index, network(request.client), rate) {
                let mut answer = text(
                    StatusCode::TOO_MANY_REQUESTS,
                    "Too many requests.",
                    Why::Limited,
                );
                let seconds = wait.0.div_ceil(1_000).max(1);
                answer
                    .headers
                    .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                return Ok(Some(answer));
            }
        }
        if let Some(answer) = rule.cors.as_ref().and_then(|cors| cors.preflight(request)) {
            return Ok(Some(answer));
        }
        if let Some(redirect) = &rule.redirect {
            let to = loops::target(redirect, request, captured);
            if loops::is_circle(self, request, (&to, redirect.status), steps) {
                return Err(Overrun::Circle);
            }
            let value = HeaderValue::from_str(&to).map_err(|_| Overrun::Path)?;
            let mut answer = text(redirect.status, "It is somewhere else.", Why::Redirect);
            answer.headers.insert(header::LOCATION, value);
            return Ok(Some(answer));
        }
        Ok(rule.page.as_ref().map(|page| {
            let mut answer = text(page.status, &page.text, Why::Page);
            if let Ok(kind) = HeaderValue::from_str(&page.kind) {
                answer.headers.insert(header::CONTENT_TYPE, kind);
            }
            answer
        }))
    }
}

impl Plan {
    /// The document it was made by.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// Names of the rules that apply.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.matched.iter().map(|rule| self.rules.name(*rule))
    }

    /// The source to fetch from, where rules choose one.
    pub fn origin(&self) -> Option<&Origin> {
        self.rules.origins.get(self.origin?)
    }

    /// How the answer is compressed, if it is.
    pub fn compression(&self) -> Option<&Compression> {
        self.rules.rules[self.compression?].compression.as_ref()
    }

    /// Makes an answer of the origin, or one that says that what is stored is still good, say what
    /// the rules say of it.
    pub fn on_origin(&self, status: StatusCode, headers: &mut HeaderMap) {
        // Only this network says what is not the origin's to say.
        self.store.on_origin(status, headers);
        if status == StatusCode::NOT_MODIFIED && !headers.contains_key(header::VARY) {
            // What it does not mention stays as it is stored.
            return;
        }
        if !self.keeps_cookies {
            drop_vary(headers, |name| name == "cookie");
        }
        for name in &self.rules.key_fields {
            vary_by(headers, name);
        }
        if self.rules.is_counted {
            vary_by(headers, KEY_FIELD);
        }
    }

    /// Finishes the fields of an answer to a visitor, wherever it came from.
    pub fn on_answer(&self, request: &Request<'_>, headers: &mut HeaderMap) {
        self.store.on_answer(headers);
        let rules = &self.rules;
        if rules.is_counted || !rules.key_fields.is_empty() {
            let is_own =
                |name: &str| name == KEY_FIELD || rules.key_fields.iter().any(|own| own == name);
            if drop_vary(headers, is_own) {
                // What the visitor's own cache must look at is what the rules looked at.
                let keyed = self
                    .matched
                    .iter()
                    .filter_map(|rule| rules.rules[*rule].key.as_ref());
                let keyed = keyed
                    .flat_map(|key| key.headers.iter())
                    .map(|name| name.0.as_str());
                for name in rules.looked_at.iter().map(String::as_str).chain(keyed) {
                    vary_by(headers, name);
                }
            }
        }
        let matched = || self.matched.iter().map(|rule| &rules.rules[*rule]);
        for edit in matched().filter_map(|rule| rule.response.as_ref()) {
            edit.apply(headers);
        }
        if let Some(cors) = matched().filter_map(|rule| rule.cors.as_ref()).next_back() {
            cors.apply(request, headers);
        }
    }
}

impl Hotlink {
    fn refuses(&self, request: &Request<'_>) -> bool {
        let Some(referer) = request.headers.get(header::REFERER) else {
            return self.refuse_unknown;
        };
        let uri = referer
            .to_str()
            .ok()
            .and_then(|text| text.parse::<Uri>().ok());
        let Some(host) = uri
            .as_ref()
            .and_then(Uri::host)
            .map(str::to_ascii_lowercase)
        else {
            return true;
        };
        host != request.host && !self.allow.iter().any(|pattern| pattern.matches(&host))
    }
}

/// Whom a limit counts: an address, and of the sixth version the network that one customer has.
fn network(client: IpAddr) -> IpAddr {
    match canonical(client) {
        IpAddr::V6(address) => {
            let prefix = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(prefix.into())
        }
        address => address,
    }
}

fn has_valid_path(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    // A dot segment that captures made up would climb out of the origin's folder.
    let is_dots = |segment: &str| {
        let plain = segment.replace("%2e", ".").replace("%2E", ".");
        plain == "." || plain == ".."
    };
    path.starts_with('/')
        && target.len() <= Limits::PATH
        && !path.split('/').any(is_dots)
        && target
            .bytes()
            .all(|octet| octet > b' ' && octet < 0x7f && octet != b'#')
}

fn text(status: StatusCode, words: &str, why: Why) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    if why != Why::Redirect && why != Why::Page {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Answer {
        status,
        headers,
        body: words.to_owned(),
        why,
    }
}

/// Adds a name to `Vary`, once.
pub(crate) fn vary_by(headers: &mut HeaderMap, name: &str) {
    let names = vary_names(headers);
    if names.iter().any(|own| own == name || own == "*") {
        return;
    }
    let mut names = names;
    names.push(name.to_owned());
    set_vary(headers, &names);
}

/// Takes names out of `Vary`. Whether there were some.
fn drop_vary(headers: &mut HeaderMap, is_out: impl Fn(&str) -> bool) -> bool {
    let names = vary_names(headers);
    let kept: Vec<String> = names.iter().filter(|name| !is_out(name)).cloned().collect();
    let is_changed = kept.len() != names.len();
    if is_changed {
        set_vary(headers, &kept);
    }
    is_changed
}

fn vary_names(headers: &HeaderMap) -> Vec<String> {
    let lines = headers
        .get_all(header::VARY)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    let names = lines.flat_map(|line| line.split(','));
    names
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect()
}

fn set_vary(headers: &mut HeaderMap, names: &[String]) {
    headers.remove(header::VARY);
    if let (false, Ok(value)) = (names.is_empty(), HeaderValue::from_str(&names.join(", "))) {
        headers.insert(header::VARY, value);
    }
}

/// The method of a request that follows a redirect (RFC 9110 §15.4).
pub(crate) fn method_after(method: &Method, status: StatusCode) -> Method {
    match status.as_u16() {
        307 | 308 => method.clone(),
        303 if *method != Method::HEAD => Method::GET,
        _ if *method == Method::POST => Method::GET,
        _ => method.clone(),
    }
}
