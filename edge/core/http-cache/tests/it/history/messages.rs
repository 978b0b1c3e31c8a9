//! Messages made up of a string of bytes.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use selvedge_edge_core_http_cache::fields::date_value;
use selvedge_primitives_types::Millis;

const SAID: [&str; 17] = [
    "no-store",
    "private",
    "no-cache",
    "public",
    "must-revalidate",
    "proxy-revalidate",
    "must-understand",
    "max-age=0",
    "max-age=5",
    "max-age=60",
    "s-maxage=0",
    "s-maxage=30",
    "stale-while-revalidate=20",
    "stale-if-error=20",
    "private=\"x-own\"",
    "no-cache=\"set-cookie\"",
    "immutable",
];
const ASKED: [&str; 8] = [
    "no-cache",
    "no-store",
    "only-if-cached",
    "max-stale",
    "max-stale=10",
    "min-fresh=10",
    "max-age=10",
    "stale-if-error=10",
];
const VARY: [&str; 5] = ["", "accept", "x-a", "*", "cookie"];
const RANGES: [&str; 8] = [
    "bytes=0-9",
    "bytes=5-99",
    "bytes=100-",
    "bytes=-50",
    "bytes=0-1,300-309",
    "bytes=300-309,0-1",
    "bytes=900-",
    "bytes=0-899",
];

/// Reads a history.
pub struct Bytes<'a>(pub &'a [u8]);

impl Bytes<'_> {
    pub fn next(&mut self) -> usize {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                usize::from(*first)
            }
            None => 0,
        }
    }

    pub fn words<const N: usize>(&mut self, of: [&'static str; N]) -> Vec<&'static str> {
        let count = self.next() % 5;
        (0..count).map(|_| of[self.next() % N]).collect()
    }
}

/// A request, as it was made up.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub words: Vec<&'static str>,
    pub principal: usize,
    pub has_secret: bool,
    pub has_cookie: bool,
    pub accept: Option<usize>,
    pub x_a: Option<usize>,
    pub range: Option<&'static str>,
}

impl Asked {
    pub fn read(bytes: &mut Bytes<'_>) -> Self {
        let flags = bytes.next();
        let choose = |bits: usize| (bits > 0).then_some(bits);
        Self {
            method: [
                Method::GET,
                Method::GET,
                Method::GET,
                Method::HEAD,
                Method::POST,
            ][bytes.next() % 5]
                .clone(),
            words: if flags & 1 == 0 {
                vec![]
            } else {
                bytes.words(ASKED)
            },
            principal: bytes.next() % 3,
            has_secret: flags & 6 == 6,
            has_cookie: flags & 8 != 0,
            accept: choose(flags >> 4 & 1),
            x_a: choose(flags >> 5 & 3),
            range: (flags & 128 != 0).then(|| RANGES[bytes.next() % RANGES.len()]),
        }
    }

    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let who = self.principal;
        let mut put = |name: &'static str, value: Option<String>| {
            if let Some(value) = value {
                let name = HeaderName::from_static(name);
                headers.append(name, HeaderValue::from_str(&value).expect("made up well"));
            }
        };
        put("cache-control", line(&self.words));
        put(
            "authorization",
            self.has_secret.then(|| format!("Basic {who}")),
        );
        put("cookie", self.has_cookie.then(|| format!("id={who}")));
        put("accept", self.accept.map(|value| format!("a/{value}")));
        put("x-a", self.x_a.map(|value| value.to_string()));
        put("range", self.range.map(str::to_owned));
        headers
    }

    pub fn asks(&self, word: &str) -> bool {
        self.words.contains(&word)
    }
}

/// A response, as it was made up; times in milliseconds.
#[derive(Clone, Debug)]
pub struct Said {
    pub status: u16,
    pub words: Vec<&'static str>,
    pub tag: Option<String>,
    pub modified: Option<u64>,
    pub date: u64,
    pub age: Option<u64>,
    pub expires: Option<u64>,
    pub vary: &'static str,
    pub has_cookie: bool,
    /// Names the bytes.
    pub version: u32,
}

impl Said {
    pub fn read(bytes: &mut Bytes<'_>, now: u64, version: u32) -> Self {
        let flags = bytes.next();
        let date = now - 1_000 * (bytes.next() % 4) as u64;
        Self {
            status: [200, 200, 200, 200, 404, 302, 599][bytes.next() % 7],
            words: bytes.words(SAID),
            tag: match flags & 3 {
                0 => None,
                1 => Some(format!("W/\"{version}\"")),
                _ => Some(format!("\"{version}\"")),
            },
            modified: (flags & 4 != 0).then(|| date - 1_000 * bytes.next() as u64),
            date,
            age: (flags & 8 != 0).then(|| (bytes.next() % 40) as u64),
            expires: (flags & 16 != 0).then(|| date + 1_000 * (bytes.next() % 40) as u64),
            vary: if flags & 32 == 0 {
                ""
            } else {
                VARY[bytes.next() % VARY.len()]
            },
            has_cookie: flags & 192 == 192,
            version,
        }
    }

    pub fn headers(&self, to: &Asked) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: Option<String>| {
            if let Some(value) = value {
                let name = HeaderName::from_static(name);
                headers.append(name, HeaderValue::from_str(&value).expect("made up well"));
            }
        };
        let date = |moment: u64| {
            let value = date_value(Millis(moment)).expect("before the year 10000");
            value.to_str().expect("text").to_owned()
        };
        put("cache-control", line(&self.words));
        put("etag", self.tag.clone());
        put("last-modified", self.modified.map(date));
        put("date", Some(date(self.date)));
        put("age", self.age.map(|age| age.to_string()));
        put("expires", self.expires.map(date));
        put(
            "vary",
            (!self.vary.is_empty()).then(|| self.vary.to_owned()),
        );
        put("x-own", Some(to.principal.to_string()));
        let cookie = || format!("id={}", to.principal);
        put("set-cookie", self.has_cookie.then(cookie));
        headers
    }

    pub fn says(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    /// Seconds of a directive; zero where two say different things.
    pub fn seconds(&self, name: &str) -> Option<u64> {
        let values: Vec<u64> = self
            .words
            .iter()
            .filter_map(|word| word.strip_prefix(name)?.strip_prefix('='))
            .filter_map(|value| value.parse().ok())
            .collect();
        let first = *values.first()?;
        Some(if values.iter().all(|value| *value == first) {
            first
        } else {
            0
        })
    }

    pub fn is_for_all(&self) -> bool {
        self.says("public") || self.says("must-revalidate") || self.seconds("s-maxage").is_some()
    }
}

fn line(words: &[&str]) -> Option<String> {
    (!words.is_empty()).then(|| words.join(", "))
}
