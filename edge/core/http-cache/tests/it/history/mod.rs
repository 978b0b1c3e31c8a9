//! Plays a history of requests and responses against the engine, and judges every answer by rules of
//! its own: by the words the messages were made of, never by reading them.
//!
//! A history is a string of bytes, so that a fuzzer and a property test can both write one.

pub mod judge;
pub mod messages;

use core::ops::Range;

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use selvedge_edge_core_http_cache::{
    answer, Body, Boundary, ErrorReuse, Failure, Kept, Lookup, PartDecision, Partial, PartialReuse,
    Policy, RequestHead, ResponseHead, Reuse, StoreDecision, Stored, Times, Update,
};
use selvedge_primitives_types::Millis;

use judge::{check, Because, Entry};
use messages::{Asked, Bytes, Said};

/// Bytes of every body.
const LENGTH: u64 = 900;
const START: u64 = 784_111_777_000;

/// Parts of one response, with the version of each byte as it came.
struct HeldParts {
    partial: Partial,
    entry: Entry,
    bytes: Vec<Option<u32>>,
}

struct World {
    policy: Policy,
    now: u64,
    versions: u32,
    stored: Vec<(Stored, Entry)>,
    parts: Option<HeldParts>,
}

/// Plays a history to its end. Panics when an answer is one that the rules forbid.
pub fn play(history: &[u8]) {
    let mut bytes = Bytes(history);
    let flags = bytes.next();
    let base = if flags & 1 == 0 {
        Policy::default()
    } else {
        Policy::rfc9111()
    };
    let policy = Policy {
        share_authorized: flags & 2 != 0,
        store_set_cookie: flags & 4 != 0,
        stale_while_revalidate: flags & 8 != 0,
        stale_when_unreachable: Millis(if flags & 16 == 0 { 0 } else { 15_000 }),
        ..base
    };
    let mut world = World {
        policy,
        now: START,
        versions: 0,
        stored: Vec::new(),
        parts: None,
    };
    while !bytes.0.is_empty() {
        world.now += [0, 1, 3_000, 7_000, 20_000, 61_000][bytes.next() % 6];
        let asked = Asked::read(&mut bytes);
        world.request(&asked, &mut bytes);
    }
}

impl World {
    fn request(&mut self, asked: &Asked, bytes: &mut Bytes<'_>) {
        let headers = asked.headers();
        let head = RequestHead {
            method: &asked.method,
            headers: &headers,
        };
        if let Lookup::Forward { .. } = self.policy.lookup_decision(&head) {
            if !asked.method.is_safe() {
                self.stored.clear();
                self.parts = None;
            }
            return;
        }
        if self.answer_from_parts(asked, &head) || self.fetch_part(asked, &head, bytes) {
            return;
        }
        let chosen = self.chosen(&headers);
        let stored = chosen.map(|index| &self.stored[index].0);
        match self.policy.reuse_decision(&head, stored, Millis(self.now)) {
            Reuse::Fresh { .. } | Reuse::Stale { .. } => {
                let index = chosen.expect("nothing stored answers nothing");
                self.answered(index, asked, Because::Reuse);
            }
            Reuse::Validate { .. } => {
                let index = chosen.expect("nothing stored is not validated");
                match bytes.next() % 4 {
                    0 => self.validated(index, asked, bytes),
                    1 => self.failed(index, asked, Failure::Unreachable),
                    2 => self.failed(index, asked, Failure::Status(StatusCode::BAD_GATEWAY)),
                    _ => self.fetched(asked, bytes),
                }
            }
            Reuse::Fetch { .. } => match (chosen, bytes.next() % 4) {
                (Some(index), 0) => self.failed(index, asked, Failure::Unreachable),
                _ => self.fetched(asked, bytes),
            },
            Reuse::GatewayTimeout { .. } => assert!(asked.asks("only-if-cached")),
        }
    }

    fn chosen(&self, headers: &HeaderMap) -> Option<usize> {
        let matching = self.stored.iter().enumerate();
        matching
            .filter(|(_, (stored, _))| stored.variant().matches(headers))
            .max_by_key(|(_, (stored, _))| (stored.date(), stored.times().received))
            .map(|(index, _)| index)
    }

    fn answered(&self, index: usize, asked: &Asked, because: Because) {
        let (stored, entry) = &self.stored[index];
        let headers = asked.headers();
        let head = RequestHead {
            method: &asked.method,
            headers: &headers,
        };
        let got = answer(&head, stored, Millis(self.now), Boundary::default());
        self.judge(entry, asked, because, &got.headers);
        self.judge_shape(asked, got.status, &got.headers, &got.body);
    }

    fn judge(&self, entry: &Entry, asked: &Asked, because: Because, headers: &HeaderMap) {
        let verdict = check(&self.policy, entry, asked, self.now, because);
        assert_eq!(
            verdict,
            Ok(()),
            "{entry:?} answers {asked:?} at {}",
            self.now
        );
        if entry.said.says("private=\"x-own\"") {
            assert!(!headers.contains_key("x-own"), "RFC 9111 §5.2.2.7");
        }
        if headers.contains_key("set-cookie") {
            assert!(self.policy.store_set_cookie, "a cookie for another");
            assert!(
                !entry.said.says("no-cache=\"set-cookie\""),
                "RFC 9111 §5.2.2.4"
            );
        }
        // A 416 is a word of our own.
        let is_refusal = headers
            .get("cache-control")
            .is_some_and(|said| said == "no-store");
        let age = headers.get("age").map(|age| age.to_str().expect("text"));
        let expected = entry.age(self.now) / 1_000;
        let is_right = age.is_some_and(|age| age == expected.to_string());
        assert!(is_right || is_refusal, "RFC 9111 §5.1, §4.2.3: {age:?}");
    }

    fn judge_shape(&self, asked: &Asked, status: StatusCode, headers: &HeaderMap, body: &Body) {
        let length = headers.get("content-length").map(|length| {
            let length = length.to_str().expect("text");
            length.parse::<u64>().expect("a number")
        });
        match body {
            Body::None => assert!(asked.method == Method::HEAD || status != StatusCode::OK),
            Body::Bytes(range) => {
                assert!(range.start <= range.end && range.end <= LENGTH);
                assert_eq!(length, Some(range.end - range.start));
                let is_part = status == StatusCode::PARTIAL_CONTENT;
                assert_eq!(headers.contains_key("content-range"), is_part);
                assert!(is_part || *range == (0..LENGTH), "RFC 9110 §15.3.7");
            }
            Body::Parts(parts) => {
                assert_eq!(status, StatusCode::PARTIAL_CONTENT);
                assert_eq!(length, Some(parts.length()));
                assert!(
                    parts.length() < LENGTH,
                    "RFC 9110 §14.2: dearer than the whole"
                );
            }
        }
    }

    fn next_response(&mut self, bytes: &mut Bytes<'_>) -> Said {
        if !bytes.next().is_multiple_of(4) {
            self.versions += 1;
        }
        Said::read(bytes, self.now, self.versions)
    }

    fn fetched(&mut self, asked: &Asked, bytes: &mut Bytes<'_>) {
        let said = self.next_response(bytes);
        let requested = self.now;
        self.now += [0, 400, 2_500][bytes.next() % 3];
        let times = Times {
            requested: Millis(requested),
            received: Millis(self.now),
        };
        let is_whole = !bytes.next().is_multiple_of(5);
        let (request, response) = (asked.headers(), said.headers(asked));
        let head = RequestHead {
            method: &asked.method,
            headers: &request,
        };
        let status = StatusCode::from_u16(said.status).expect("a status");
        let answer = ResponseHead {
            status,
            headers: &response,
        };
        let StoreDecision::Store(kept) = self.policy.store_decision(&head, &answer, times) else {
            return;
        };
        // What `store_decision` asks of who obeys it: the body must have arrived whole.
        if !is_whole {
            return;
        }
        let Kept {
            headers, variant, ..
        } = *kept;
        self.stored
            .retain(|(stored, _)| *stored.variant() != variant);
        let stored = Stored::new(status, headers, variant, times, LENGTH, &self.policy);
        let entry = Entry {
            said,
            asked: asked.clone(),
            requested,
            received: self.now,
            is_whole,
        };
        self.stored.push((stored, entry));
    }

    fn failed(&self, index: usize, asked: &Asked, failure: Failure) {
        let headers = asked.headers();
        let head = RequestHead {
            method: &asked.method,
            headers: &headers,
        };
        let stored = &self.stored[index].0;
        let decision = self
            .policy
            .error_decision(&head, stored, failure, Millis(self.now));
        if matches!(decision, ErrorReuse::Stale { .. }) {
            let is_unreachable = failure == Failure::Unreachable;
            self.answered(index, asked, Because::Error { is_unreachable });
        }
    }

    fn validated(&mut self, index: usize, asked: &Asked, bytes: &mut Bytes<'_>) {
        let mut news = Said::read(bytes, self.now, self.versions);
        let old = self.stored[index].1.clone();
        // Often about the same, or there would be little to see.
        if !bytes.next().is_multiple_of(3) {
            news.tag.clone_from(&old.said.tag);
            news.modified = old.said.modified;
        }
        let times = Times {
            requested: Millis(self.now),
            received: Millis(self.now),
        };
        let (request, response) = (asked.headers(), news.headers(asked));
        let head = RequestHead {
            method: &asked.method,
            headers: &request,
        };
        let statement = ResponseHead {
            status: StatusCode::NOT_MODIFIED,
            headers: &response,
        };
        let stored = &self.stored[index].0;
        let update = self.policy.update_stored(&head, stored, &statement, times);
        let said = Said {
            status: old.said.status,
            words: if news.words.is_empty() {
                old.said.words.clone()
            } else {
                news.words.clone()
            },
            tag: news.tag.clone().or(old.said.tag.clone()),
            modified: news.modified.or(old.said.modified),
            date: news.date,
            age: news.age,
            expires: news.expires.or(old.said.expires),
            vary: if news.vary.is_empty() {
                old.said.vary
            } else {
                news.vary
            },
            has_cookie: news.has_cookie,
            version: old.said.version,
        };
        let entry = Entry {
            said,
            // It is what the origin gives to this request, whoever it was fetched for.
            asked: Asked {
                words: old.asked.words.clone(),
                ..asked.clone()
            },
            requested: self.now,
            received: self.now,
            is_whole: old.is_whole,
        };
        self.stored.remove(index);
        match update {
            Update::Mismatch { .. } => {}
            Update::UseOnce { .. } => self.is_about(&old.said, &news),
            Update::Stored { stored, .. } => {
                self.is_about(&old.said, &news);
                self.stored
                    .retain(|(other, _)| other.variant() != stored.variant());
                self.stored.push((*stored, entry));
                let last = self.stored.len() - 1;
                self.answered(last, asked, Because::Validated);
            }
        }
    }

    fn is_about(&self, old: &Said, news: &Said) {
        let opaque = |tag: &Option<String>| {
            tag.as_ref()
                .map(|tag| tag.trim_start_matches("W/").to_owned())
        };
        if news.tag.is_some() {
            assert_eq!(opaque(&old.tag), opaque(&news.tag), "RFC 9111 §4.3.4");
        }
    }

    /// Answers from parts; whether it did.
    fn answer_from_parts(&self, asked: &Asked, head: &RequestHead<'_>) -> bool {
        let Some(held) = &self.parts else {
            return false;
        };
        let (policy, now) = (&self.policy, Millis(self.now));
        let reuse = policy.partial_decision(head, &held.partial, now, Boundary::default());
        let PartialReuse::Answer(got) = reuse else {
            return false;
        };
        self.judge(&held.entry, asked, Because::Reuse, &got.headers);
        self.judge_shape(asked, got.status, &got.headers, &got.body);
        match &got.body {
            Body::None => {}
            Body::Bytes(range) => held.judge(range.clone()),
            Body::Parts(parts) => parts
                .parts()
                .iter()
                .for_each(|(_, range)| held.judge(range.clone())),
        }
        true
    }

    /// Lets the origin answer a range with a part, sometimes; whether it did.
    fn fetch_part(&mut self, asked: &Asked, head: &RequestHead<'_>, bytes: &mut Bytes<'_>) -> bool {
        let is_asked = asked.range.is_some() && asked.method == Method::GET;
        if !is_asked || bytes.next().is_multiple_of(3) || asked.asks("only-if-cached") {
            return false;
        }
        let said = Said {
            status: 206,
            ..self.next_response(bytes)
        };
        let start = (bytes.next() as u64 * 4) % LENGTH;
        let end = (start + 1 + bytes.next() as u64 * 2).min(LENGTH);
        let times = Times {
            requested: Millis(self.now),
            received: Millis(self.now),
        };
        let mut headers = said.headers(asked);
        let place = format!("bytes {start}-{}/{LENGTH}", end - 1);
        let place = HeaderValue::from_str(&place).expect("made up well");
        headers.insert("content-range", place);
        let response = ResponseHead {
            status: StatusCode::PARTIAL_CONTENT,
            headers: &headers,
        };
        let decision = self.policy.part_decision(head, &response, times);
        let PartDecision::Keep(part) = decision else {
            return true;
        };
        let is_strong = match &said.tag {
            Some(tag) => !tag.starts_with("W/"),
            None => said
                .modified
                .is_some_and(|modified| modified / 1_000 < said.date / 1_000),
        };
        assert!(is_strong, "RFC 9111 §3.4: {said:?}");
        let combined = self
            .parts
            .take()
            .and_then(|held| Some((held.partial.combine(&part, times, &self.policy).ok()?, held)));
        let mut entry = Entry {
            said: Said {
                status: 200,
                ..said.clone()
            },
            asked: asked.clone(),
            requested: self.now,
            received: self.now,
            is_whole: true,
        };
        let (partial, mut versions) = match combined {
            Some((partial, held)) => {
                let old = held.entry.said;
                assert!(old.tag == said.tag, "RFC 9111 §3.4: of two versions");
                let news = &mut entry.said;
                if news.words.is_empty() {
                    news.words = old.words;
                }
                news.modified = news.modified.or(old.modified);
                news.expires = news.expires.or(old.expires);
                (partial, held.bytes)
            }
            None => (
                Partial::new(&part, times, &self.policy),
                vec![None; LENGTH as usize],
            ),
        };
        // A tag names one version, and a date of change none: two versions may have the same.
        let named = if said.tag.is_some() { said.version } else { 0 };
        versions[start as usize..end as usize].fill(Some(named));
        self.parts = Some(HeldParts {
            partial,
            entry,
            bytes: versions,
        });
        true
    }
}

impl HeldParts {
    fn judge(&self, range: Range<u64>) {
        let bytes = &self.bytes[range.start as usize..range.end as usize];
        let first = bytes.first().copied().flatten();
        assert!(first.is_some(), "RFC 9111 §3.3: bytes that nobody has");
        assert!(
            bytes.iter().all(|byte| *byte == first),
            "RFC 9111 §3.4: bytes of two versions, or of none"
        );
    }
}
