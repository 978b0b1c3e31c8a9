//! Parts of what is too long to be shared: kept in memory, put together, completed (ADR 014).
//!
//! Only fetches for everybody bring parts that are kept: what a visitor chose by fields that nothing
//! is stored by would be another's.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{header, HeaderMap, Method, Response, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use selvedge_edge_core_http_cache::{
    record_fields, strip_hop_by_hop, CacheStatus, Forwarded, Kept, KeptPart, PartDecision, Partial,
    PartialReuse, RequestHead, ResponseHead, Rule, Times,
};
use selvedge_edge_drivers_agent::clock;
use selvedge_edge_drivers_http::{channel, BodySender};
use selvedge_edge_drivers_purge::Verdict;
use selvedge_edge_drivers_store::room;
use selvedge_primitives_types::{Record, Signature64, SignedRecord};

use crate::cut::Cut;
use crate::entry::Entry;
use crate::exchange::NO_CACHE;
use crate::failure::{Failure, Reason};
use crate::fields;
use crate::gateway::Shared;
use crate::metrics::Source;
use crate::question::{boundary, Question};
use crate::served::Served;
use crate::slices::{all_of, PIECE};
use crate::tab::Tab;

/// How long a key is taken to be too long to be shared.
const LONG: Duration = Duration::from_secs(600);
/// Pieces of the origin's body that may wait for the visitor.
const PIECES: usize = 64;
/// Pieces of memory that one response's parts may be in.
const MAX_PIECES: usize = 256;
/// What a piece costs besides its bytes.
const PIECE_OVERHEAD: usize = 96;

/// Parts of one response, with their bytes.
#[derive(Debug)]
pub struct Parts {
    partial: Partial,
    /// Ascending, none overlapping another; together what `partial` says is held.
    pieces: Vec<(u64, Bytes)>,
}

impl Parts {
    /// Memory that they take, in bytes.
    pub fn size(&self) -> usize {
        let pieces = self.pieces.iter();
        pieces
            .map(|(_, bytes)| bytes.len() + PIECE_OVERHEAD)
            .sum::<usize>()
    }

    /// The bytes of a range that is held.
    fn of(&self, range: &Range<u64>) -> Vec<Bytes> {
        let overlapping = self.pieces.iter().filter_map(|(start, bytes)| {
            let end = start + bytes.len() as u64;
            let (from, to) = (range.start.max(*start), range.end.min(end));
            (from < to).then(|| bytes.slice((from - start) as usize..(to - start) as usize))
        });
        overlapping.collect()
    }

    /// With the bytes of one part more, of which only those are copied that are not held.
    fn with(&self, partial: Partial, part: &Range<u64>, bytes: &[u8]) -> Self {
        let mut pieces = self.pieces.clone();
        let mut at = part.start;
        for (start, held) in &self.pieces {
            let end = start + held.len() as u64;
            if end > at && *start < part.end {
                push(&mut pieces, at..*start, part, bytes);
                at = at.max(end);
            }
        }
        push(&mut pieces, at..part.end, part, bytes);
        pieces.sort_unstable_by_key(|(start, _)| *start);
        Self { partial, pieces }
    }
}

fn push(pieces: &mut Vec<(u64, Bytes)>, of: Range<u64>, part: &Range<u64>, bytes: &[u8]) {
    if of.start < of.end {
        let place = (of.start - part.start) as usize..(of.end - part.start) as usize;
        pieces.push((of.start, Bytes::copy_from_slice(&bytes[place])));
    }
}

/// What is in memory and what the origin is asked for.
struct Completion {
    held: Arc<Entry>,
    answer: selvedge_edge_core_http_cache::Answer,
    wanted: Range<u64>,
    missing: Range<u64>,
}

impl Shared {
    /// The answer from parts in memory, where all that it needs is held.
    pub fn from_parts(&self, question: &Question) -> Option<Served> {
        let entry = self.parts_of(question)?;
        let now = clock::now();
        let parts = entry.parts.as_ref().filter(|_| self.is_held(&entry, now))?;
        let policy = &self.options.policy;
        let reuse = policy.partial_decision(&question.head(), &parts.partial, now, boundary());
        let PartialReuse::Answer(answer) = reuse else {
            return None;
        };
        let cut = Cut::new(&answer.body);
        let pieces = cut.parts.iter().flat_map(|(head, range)| {
            let mut pieces = vec![head.clone()];
            pieces.extend(parts.of(range));
            pieces
        });
        let mut pieces: Vec<_> = pieces.collect();
        pieces.push(cut.end.clone());
        let said = CacheStatus::new("selvedge-gateway")
            .hit()
            .time_to_live(parts.partial.stored().time_to_live(now));
        Some(Served::stored(*answer, all_of(pieces), Source::Memory, NO_CACHE).say(said))
    }

    /// Whether a part is asked for of what is too long to be shared.
    pub fn is_part_of_long(&self, question: &Question) -> bool {
        question.exchange.method == Method::GET
            && question.headers.contains_key(header::RANGE)
            && self.long.holds(&question.pass_name(), Instant::now())
    }

    /// Notes that a key's response is too long to be shared.
    pub fn note_long(&self, question: &Question) {
        self.long
            .remember(question.pass_name(), Instant::now(), LONG);
    }

    /// Notes that the response is too long, where an answer with a part of it says so.
    pub fn note_length(&self, question: &Question, served: &Served) {
        let length = whole_length(&served.headers);
        if length.is_some_and(|length| length > self.options.max_object_bytes) {
            self.note_long(question);
        }
    }

    /// Notes that the response is no longer too long, where its answer says so.
    fn note_short(&self, question: &Question, response: &Response<Incoming>) {
        let length = match response.status() {
            StatusCode::OK => response.body().size_hint().exact(),
            _ => whole_length(response.headers()),
        };
        if length.is_some_and(|length| length <= self.options.max_object_bytes) {
            self.long
                .remember(question.pass_name(), Instant::now(), Duration::ZERO);
        }
    }

    fn parts_of(&self, question: &Question) -> Option<Arc<Entry>> {
        let (service, key) = (question.scope.service.id, question.key.as_bytes());
        let is_current = |entry: &Entry| self.verdict(service, entry) == Verdict::Current;
        let rank = |entry: &Entry| entry.rank_parts(|| is_current(entry), || &question.headers);
        self.memory.best(service, key, rank, |_| true)
    }

    /// Forgets what is in memory under a key of which nothing whole is shared.
    fn forget_parts(&self, question: &Question) {
        let (service, key) = (question.scope.service.id, question.key.as_bytes());
        self.memory.remove(service, key);
    }

    /// Asks the origin for the part that a visitor wants, or for what of it is not in memory, and
    /// keeps what comes.
    pub async fn fetch_part(
        self: &Arc<Self>,
        question: &Arc<Question>,
        why: CacheStatus,
    ) -> Result<Served, Failure> {
        if let Some((completion, conditions)) = self.completion(question) {
            let (response, times) = self.send_part(question, &conditions).await?;
            let said = CacheStatus::new("selvedge-gateway")
                .forwarded(Forwarded::Partial)
                .forwarded_status(response.status());
            match response.status() {
                StatusCode::PARTIAL_CONTENT => {
                    let part = self.part(question, &response, times).ok();
                    if let Some(part) = part.filter(|part| self.completes(&completion, part, times))
                    {
                        return Ok(self.complete(question, response, part, times, completion, said));
                    }
                }
                // It has changed, and this is all of what it is now.
                StatusCode::OK => {
                    self.note_short(question, &response);
                    self.forget_parts(question);
                    let tab = Tab::for_origin(&self.meter, &question.scope.service, NO_CACHE);
                    return Ok(self.pass_through(response, tab, said));
                }
                _ => {}
            }
            self.forget_parts(question);
        }
        let mut wanted = HeaderMap::new();
        for name in [header::RANGE, header::IF_RANGE] {
            for value in question.headers.get_all(&name) {
                wanted.append(name.clone(), value.clone());
            }
        }
        let (response, times) = self.send_part(question, &wanted).await?;
        self.note_short(question, &response);
        let why = why.forwarded_status(response.status());
        let tab = Tab::for_origin(&self.meter, &question.scope.service, NO_CACHE);
        match self.part(question, &response, times) {
            Err(rule) => Ok(self.pass_through(response, tab, why.detail(rule))),
            Ok(part) => {
                let (head, incoming) = response.into_parts();
                let mut headers = head.headers;
                strip_hop_by_hop(&mut headers);
                let (sender, body) = channel(PIECES, Some(part.range.end - part.range.start));
                let tee = Tee::new(self, question, part, times, tab);
                tokio::spawn(tee.run(incoming, sender, Vec::new()));
                Ok(Served {
                    status: head.status,
                    headers,
                    body,
                    source: Source::Origin,
                    cache: NO_CACHE,
                    said: vec![why.stored()],
                    version: head.version,
                })
            }
        }
    }

    /// What of the answer is in memory, and what to ask for.
    fn completion(&self, question: &Question) -> Option<(Completion, HeaderMap)> {
        let held = self.parts_of(question)?;
        let parts = held.parts.as_ref()?;
        let policy = &self.options.policy;
        let (head, now) = (question.head(), clock::now());
        match policy.partial_decision(&head, &parts.partial, now, boundary()) {
            PartialReuse::Complete {
                answer,
                missing,
                fields,
            } => {
                let selvedge_edge_core_http_cache::Body::Bytes(wanted) = answer.body.clone() else {
                    return None;
                };
                let completion = Completion {
                    held,
                    answer: *answer,
                    wanted,
                    missing,
                };
                Some((completion, fields))
            }
            _ => None,
        }
    }

    /// Whether a part is what was asked for, of the response that is held.
    fn completes(&self, completion: &Completion, part: &KeptPart, times: Times) -> bool {
        let policy = &self.options.policy;
        let parts = completion.held.parts.as_ref();
        part.range == completion.missing
            && parts.is_some_and(|parts| parts.partial.combine(part, times, policy).is_ok())
    }

    /// Answers with what is in memory and, between, with what comes.
    fn complete(
        self: &Arc<Self>,
        question: &Arc<Question>,
        response: Response<Incoming>,
        part: KeptPart,
        times: Times,
        completion: Completion,
        said: CacheStatus,
    ) -> Served {
        let Completion {
            held,
            answer,
            wanted,
            missing,
        } = completion;
        let of = |range: Range<u64>| held.parts.as_ref().map(|parts| parts.of(&range));
        let before = of(wanted.start..missing.start).unwrap_or_default();
        let behind = of(missing.end..wanted.end).unwrap_or_default();
        let (sender, body) = channel(PIECES, Some(wanted.end - wanted.start));
        let tab = Tab::for_origin(&self.meter, &question.scope.service, NO_CACHE);
        let tee = Tee::new(self, question, part, times, tab);
        let incoming = response.into_body();
        tokio::spawn(async move {
            for piece in before.into_iter().flat_map(pieces) {
                if sender.send(piece).await.is_err() {
                    return;
                }
            }
            tee.run(incoming, sender, behind).await;
        });
        Served::stored(answer, body, Source::Origin, NO_CACHE).say(said.stored())
    }

    async fn send_part(
        &self,
        question: &Question,
        wanted: &HeaderMap,
    ) -> Result<(Response<Incoming>, Times), Failure> {
        let requested = clock::now();
        let response = self.send(question, Method::GET, wanted).await;
        let response = response.map_err(|error| Failure::because(Reason::from(&error), &error))?;
        let received = clock::now();
        let times = Times {
            requested,
            received,
        };
        Ok((response, times))
    }

    /// What is kept of a 206, or why nothing is.
    fn part(
        &self,
        question: &Question,
        response: &Response<Incoming>,
        times: Times,
    ) -> Result<KeptPart, Rule> {
        let head = RequestHead {
            method: &Method::GET,
            headers: &question.headers,
        };
        let policy = &self.options.policy;
        match policy.part_decision(&head, &ResponseHead::from(response), times) {
            PartDecision::Pass { rule } => Err(rule),
            PartDecision::Keep(part) => may_choose(&part.kept).map(|()| *part),
        }
    }

    /// Keeps the bytes of a part with those that are kept already, as far as there is room.
    fn keep_part(&self, question: &Question, part: &KeptPart, times: Times, bytes: &[u8]) {
        let policy = &self.options.policy;
        let held = self.parts_of(question);
        let held = held.as_ref().and_then(|entry| entry.parts.as_ref());
        let combined = held.map(|parts| (parts, parts.partial.combine(part, times, policy)));
        let parts = match combined {
            Some((parts, Ok(partial))) => parts.with(partial, &part.range, bytes),
            Some((_, Err(Rule::Limit))) => return,
            _ => Parts {
                partial: Partial::new(part, times, policy),
                pieces: vec![(part.range.start, Bytes::copy_from_slice(bytes))],
            },
        };
        if !self.fits_memory(parts.size() as u64) || parts.pieces.len() > MAX_PIECES {
            return;
        }
        let stored = parts.partial.stored().clone();
        // It has no root and is signed by nobody: it never leaves this memory.
        let record = Record {
            service: question.scope.service.id,
            key: question.key.as_bytes().to_vec(),
            variant: stored.variant().as_slice().to_vec(),
            status: StatusCode::OK.as_u16(),
            fields: record_fields(stored.headers()),
            root: [0; 32],
            length: stored.length(),
            generation: question.generation,
            requested: times.requested,
            received: times.received,
            gateway: self.identity.device(),
        };
        let signed = SignedRecord {
            record,
            signature: Signature64([0; 64]),
        };
        let entry = Entry {
            parts: Some(Box::new(parts)),
            ..Entry::new(signed, stored, Bytes::new(), NO_CACHE)
        };
        self.keep(question, entry);
    }
}

/// The length of the whole, of which this answer has a part.
fn whole_length(headers: &HeaderMap) -> Option<u64> {
    let place = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    place.rsplit_once('/')?.1.parse().ok()
}

/// Whether what is stored was chosen by nothing of one visitor.
pub fn may_choose(kept: &Kept) -> Result<(), Rule> {
    let variant = kept.variant.as_slice();
    // A cache would learn the credential from the variant, and could not choose by it anyway.
    if variant.iter().any(|(name, _)| fields::is_credential(name)) {
        return Err(Rule::CredentialVariant);
    }
    if variant
        .iter()
        .any(|(name, _)| fields::is_of_each_visitor(name))
    {
        return Err(Rule::VaryStar);
    }
    Ok(())
}

/// Carries a part to the visitor and into memory.
struct Tee {
    shared: Arc<Shared>,
    question: Arc<Question>,
    part: KeptPart,
    times: Times,
    tab: Tab,
    kept: Option<Vec<u8>>,
    passed: u64,
}

impl Tee {
    fn new(
        shared: &Arc<Shared>,
        question: &Arc<Question>,
        part: KeptPart,
        times: Times,
        tab: Tab,
    ) -> Self {
        let length = part.range.end - part.range.start;
        Self {
            kept: shared.fits_memory(length).then(|| room(Some(length))),
            shared: shared.clone(),
            question: question.clone(),
            part,
            times,
            tab,
            passed: 0,
        }
    }

    /// Sends on what comes, then what is behind it.
    async fn run(mut self, mut body: Incoming, sender: BodySender, behind: Vec<Bytes>) {
        let timeout = self.shared.options.body_timeout;
        let length = self.part.range.end - self.part.range.start;
        while self.passed < length {
            let failed = match tokio::time::timeout(timeout, body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    match self.piece(data, length, &sender).await {
                        Ok(true) => continue,
                        Ok(false) => return,
                        Err(reason) => reason.to_owned(),
                    }
                }
                Ok(None) => "the origin's part is shorter than it says".to_owned(),
                Ok(Some(Err(error))) => error.to_string(),
                Err(_) => "the origin's body stands still".to_owned(),
            };
            sender.fail(failed).await;
            return;
        }
        for piece in behind.into_iter().flat_map(pieces) {
            if sender.send(piece).await.is_err() {
                return;
            }
        }
        let _ = sender.finish().await;
    }

    /// Takes bytes; `false` when the visitor is gone.
    async fn piece(
        &mut self,
        data: Bytes,
        length: u64,
        sender: &BodySender,
    ) -> Result<bool, &'static str> {
        let bytes = data.len() as u64;
        self.shared.metrics.origin.inc_by(bytes);
        self.tab
            .origin(bytes)
            .map_err(|_| "the service's allowance is used up")?;
        self.passed += bytes;
        if self.passed > length {
            return Err("the origin's part is longer than it says");
        }
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(&data);
        }
        if self.passed == length {
            // Before the last byte leaves, so that the visitor's next request finds it.
            if let Some(kept) = self.kept.take() {
                self.shared
                    .keep_part(&self.question, &self.part, self.times, &kept);
            }
        }
        for piece in pieces(data) {
            if sender.send(piece).await.is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn pieces(mut bytes: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || (!bytes.is_empty()).then(|| bytes.split_to(bytes.len().min(PIECE))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use selvedge_edge_core_http_cache::{Policy, Variant};

    fn part(range: Range<u64>) -> KeptPart {
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, http::HeaderValue::from_static("\"1\""));
        let kept = Kept {
            headers,
            variant: Variant::default(),
            own: HeaderMap::new(),
        };
        KeptPart {
            kept,
            range,
            length: 200,
        }
    }

    proptest! {
        #[test]
        fn pieces_are_what_is_held_and_no_byte_is_kept_twice(
            ranges in prop::collection::vec((0u64..150, 1u64..50), 1..12),
        ) {
            let body: Vec<u8> = (0..200).collect();
            let policy = Policy::default();
            let mut parts: Option<Parts> = None;
            for (start, length) in ranges {
                let part = part(start..start + length);
                let bytes = &body[start as usize..(start + length) as usize];
                parts = Some(match &parts {
                    None => Parts {
                        partial: Partial::new(&part, Times::default(), &policy),
                        pieces: vec![(start, Bytes::copy_from_slice(bytes))],
                    },
                    Some(parts) => {
                        let partial = parts.partial.combine(&part, Times::default(), &policy);
                        parts.with(partial.unwrap(), &part.range, bytes)
                    }
                });
            }
            let parts = parts.unwrap();
            let held: u64 = parts.partial.held().iter().map(|range| range.end - range.start).sum();
            let kept: usize = parts.pieces.iter().map(|(_, bytes)| bytes.len()).sum();
            prop_assert_eq!(kept as u64, held);
            for range in parts.partial.held() {
                let expected = &body[range.start as usize..range.end as usize];
                prop_assert_eq!(parts.of(range).concat(), expected);
            }
        }
    }
}
