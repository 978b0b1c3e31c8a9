//! Reads the head of a plain request: `GET` or `HEAD` of a path over HTTP/1.1, without a body and
//! with nothing in its fields that could change the meaning of the answer.
//!
//! It judges less than it could. What it reads, hyper reads the same way; whatever it does not know
//! is a [`Reading::Doubt`] and belongs to hyper. So there is no second opinion on where a request
//! ends, which is what smuggling lives on.
//!
//! A request that hyper has read already, over HTTP/2, is judged by the same lists.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

/// Fields of a head at most.
const MAX_FIELDS: usize = 40;
/// The longest field name that is looked at.
const MAX_NAME: usize = 32;

/// A request for what may be at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainRequest<'a> {
    /// Whether only the head of the answer is wanted.
    pub is_head: bool,
    /// Path and query as sent; it begins with a slash.
    pub target: &'a str,
    /// The `Host` field or the authority as sent, not empty and not checked further.
    pub host: &'a str,
    /// The `X-Request-Id` field as sent.
    pub request_id: Option<&'a str>,
    fields: Fields<'a>,
}

/// All fields of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fields<'a> {
    /// Lines as they came.
    Lines(&'a [u8]),
    /// Read by hyper.
    Read(&'a HeaderMap),
}

impl<'a> PlainRequest<'a> {
    /// What hyper has read, if it is as plain.
    pub(crate) fn of<B: http_body::Body>(request: &'a Request<B>) -> Option<Self> {
        let is_head = match *request.method() {
            Method::GET => false,
            Method::HEAD => true,
            _ => return None,
        };
        let target = request.uri().path_and_query()?.as_str();
        let is_plain = target.starts_with('/') && target.bytes().all(is_of_a_target);
        if !is_plain || !request.body().is_end_stream() {
            return None;
        }
        let mut request_id = None;
        for (name, value) in request.headers() {
            let value = value.as_bytes();
            let is_plain = value.iter().all(|byte| is_of_a_value(*byte));
            let value = std::str::from_utf8(value).ok().filter(|_| is_plain)?;
            match kind(name.as_str().as_bytes()) {
                Kind::Harmless => {}
                Kind::RequestId if request_id.is_none() => request_id = Some(value),
                _ => return None,
            }
        }
        Some(Self {
            is_head,
            target,
            host: request.uri().authority()?.as_str(),
            request_id,
            fields: Fields::Read(request.headers()),
        })
    }

    /// The method.
    pub fn method(&self) -> &'static Method {
        static GET: Method = Method::GET;
        static HEAD: Method = Method::HEAD;
        if self.is_head {
            &HEAD
        } else {
            &GET
        }
    }

    /// Every field, for the rare answer that depends on them.
    pub fn headers(&self) -> HeaderMap {
        let mut rest = match self.fields {
            Fields::Lines(lines) => lines,
            Fields::Read(headers) => return headers.clone(),
        };
        let mut headers = HeaderMap::new();
        while let Some((name, value, next)) = line(rest) {
            let name = HeaderName::from_bytes(name);
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
                headers.append(name, value);
            }
            rest = &rest[next..];
        }
        headers
    }
}

/// What the first unread octets of a connection are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading<'a> {
    /// A whole head, and its octets.
    Request(PlainRequest<'a>, usize),
    /// The beginning of what may become one.
    Partial,
    /// Something else, or nothing that is known well enough.
    Doubt,
}

/// Reads a head from its first octet on.
pub(super) fn read(bytes: &[u8]) -> Reading<'_> {
    let (is_head, start) = match bytes {
        [b'G', b'E', b'T', b' ', ..] => (false, 4),
        [b'H', b'E', b'A', b'D', b' ', ..] => (true, 5),
        _ if b"GET ".starts_with(bytes) || b"HEAD ".starts_with(bytes) => return Reading::Partial,
        _ => return Reading::Doubt,
    };
    let rest = &bytes[start..];
    let Some(end) = rest.iter().position(|byte| !is_of_a_target(*byte)) else {
        return of_a_beginning(rest.first().is_none_or(|first| *first == b'/'));
    };
    let target = &rest[..end];
    if target.first() != Some(&b'/') || rest[end] != b' ' {
        return Reading::Doubt;
    }
    let version = b"HTTP/1.1\r\n";
    let rest = &rest[end + 1..];
    if !rest.starts_with(version) {
        return of_a_beginning(version.starts_with(rest));
    }
    let lines = start + end + 1 + version.len();
    fields(bytes, lines, is_head, target)
}

fn of_a_beginning(is_one: bool) -> Reading<'static> {
    if is_one {
        Reading::Partial
    } else {
        Reading::Doubt
    }
}

fn fields<'a>(bytes: &'a [u8], lines: usize, is_head: bool, target: &'a [u8]) -> Reading<'a> {
    let (mut host, mut request_id) = (None, None);
    let mut at = lines;
    for _ in 0..=MAX_FIELDS {
        let rest = &bytes[at..];
        if rest.starts_with(b"\r\n") {
            let (Some(host), Ok(target)) = (host, std::str::from_utf8(target)) else {
                return Reading::Doubt;
            };
            let request = PlainRequest {
                is_head,
                target,
                host,
                request_id,
                fields: Fields::Lines(&bytes[lines..at]),
            };
            return Reading::Request(request, at + 2);
        }
        let Some((name, value, next)) = line(rest) else {
            return of_a_beginning(is_line_begun(rest));
        };
        let Ok(value) = std::str::from_utf8(value) else {
            return Reading::Doubt;
        };
        let is_plain = match kind(name) {
            Kind::Host => !value.is_empty() && host.replace(value).is_none(),
            Kind::RequestId => request_id.replace(value).is_none(),
            Kind::Connection => value.eq_ignore_ascii_case("keep-alive"),
            Kind::Harmless => true,
            Kind::Unknown => false,
        };
        if !is_plain {
            return Reading::Doubt;
        }
        at += next;
    }
    Reading::Doubt
}

/// The name, value and length of the line that these octets begin with.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8], usize)> {
    let colon = bytes.iter().position(|byte| !is_of_a_name(*byte))?;
    if colon == 0 || bytes[colon] != b':' {
        return None;
    }
    let rest = &bytes[colon + 1..];
    let end = rest.iter().position(|byte| !is_of_a_value(*byte))?;
    if !rest[end..].starts_with(b"\r\n") {
        return None;
    }
    let value = rest[..end].trim_ascii();
    Some((&bytes[..colon], value, colon + 1 + end + 2))
}

/// Whether octets that are no whole line may be the beginning of one, or of the empty last one.
fn is_line_begun(bytes: &[u8]) -> bool {
    let Some(colon) = bytes.iter().position(|byte| !is_of_a_name(*byte)) else {
        return true;
    };
    if colon == 0 {
        return bytes == b"\r";
    }
    if bytes[colon] != b':' {
        return false;
    }
    let rest = &bytes[colon + 1..];
    match rest.iter().position(|byte| !is_of_a_value(*byte)) {
        Some(end) => &rest[end..] == b"\r",
        None => true,
    }
}

/// Octets that hyper takes in a path and a query without a second thought.
fn is_of_a_target(byte: u8) -> bool {
    static SET: [bool; 256] = alphanumeric_and(b"-._~!$&'()*+,;=:@/?%[]|");
    SET[usize::from(byte)]
}

/// `tchar` of RFC 9110 §5.6.2.
fn is_of_a_name(byte: u8) -> bool {
    static SET: [bool; 256] = alphanumeric_and(b"!#$%&'*+-.^_`|~");
    SET[usize::from(byte)]
}

const fn alphanumeric_and(others: &[u8]) -> [bool; 256] {
    let mut set = [false; 256];
    let mut byte = 0;
    while byte < set.len() {
        set[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        set[others[at] as usize] = true;
        at += 1;
    }
    set
}

/// Visible ASCII and blanks: what is beyond may be read in more than one way.
fn is_of_a_value(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~')
}

/// What a field means for an answer from memory.
enum Kind {
    Host,
    RequestId,
    Connection,
    /// It may choose a variant, and nothing else.
    Harmless,
    Unknown,
}

fn kind(name: &[u8]) -> Kind {
    let mut lower = [0; MAX_NAME];
    let Some(lower) = lower.get_mut(..name.len()) else {
        return Kind::Unknown;
    };
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    match &*lower {
        b"host" => Kind::Host,
        b"x-request-id" => Kind::RequestId,
        b"connection" => Kind::Connection,
        b"accept"
        | b"accept-charset"
        | b"accept-encoding"
        | b"accept-language"
        | b"cookie"
        | b"dnt"
        | b"from"
        | b"origin"
        | b"priority"
        | b"referer"
        | b"save-data"
        | b"upgrade-insecure-requests"
        | b"user-agent"
        | b"x-requested-with" => Kind::Harmless,
        name if name.starts_with(b"sec-ch-") || name.starts_with(b"sec-fetch-") => Kind::Harmless,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(bytes: &[u8]) -> Option<(PlainRequest<'_>, usize)> {
        match read(bytes) {
            Reading::Request(request, length) => Some((request, length)),
            Reading::Partial | Reading::Doubt => None,
        }
    }

    #[test]
    fn a_plain_request_is_read_with_its_fields() {
        let head = b"GET /a/b?c=%20d HTTP/1.1\r\nHost: A.test:80\r\nACCEPT:  text/*, b \t\r\n\
            x-request-id: 7\r\ncookie: a=b\r\ncookie:\r\nConnection: Keep-Alive\r\n\r\nGET /next";
        let (got, length) = request(head).unwrap();
        assert_eq!((got.is_head, got.target), (false, "/a/b?c=%20d"));
        assert_eq!((got.host, got.request_id), ("A.test:80", Some("7")));
        assert_eq!(&head[length..], b"GET /next");
        let headers = got.headers();
        assert_eq!(headers["accept"], "text/*, b");
        let cookies: Vec<_> = headers.get_all("cookie").iter().collect();
        assert_eq!(cookies, ["a=b", ""]);
        assert!(
            request(b"HEAD / HTTP/1.1\r\nhost: a\r\n\r\n")
                .unwrap()
                .0
                .is_head
        );
    }

    #[test]
    fn what_hyper_has_read_is_judged_by_the_same_lists() {
        let of = |method: &str, uri: &str, fields: &[(&str, &str)], body: &str| {
            let mut request = Request::builder().method(method).uri(uri);
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            let body = http_body_util::Full::new(bytes::Bytes::copy_from_slice(body.as_bytes()));
            let request = request.body(body).unwrap();
            PlainRequest::of(&request).map(|got| {
                let id = got.request_id.map(str::to_owned);
                (
                    got.target.to_owned(),
                    got.host.to_owned(),
                    id,
                    got.headers(),
                )
            })
        };
        let (target, host, id, headers) = of(
            "GET",
            "https://a.test:8/b?c",
            &[("x-request-id", "7"), ("accept", "d")],
            "",
        )
        .unwrap();
        assert_eq!(
            (&*target, &*host, id.as_deref()),
            ("/b?c", "a.test:8", Some("7"))
        );
        assert_eq!(headers["accept"], "d");
        assert!(of("HEAD", "https://a.test/", &[], "").is_some());
        for (method, uri, field, body) in [
            ("POST", "https://a.test/", ("accept", "a"), ""),
            ("GET", "/", ("accept", "a"), ""),
            ("GET", "https://a.test/\"", ("accept", "a"), ""),
            ("GET", "https://a.test/", ("host", "a.test"), ""),
            ("GET", "https://a.test/", ("range", "bytes=0-1"), ""),
            ("GET", "https://a.test/", ("if-none-match", "\"a\""), ""),
            ("GET", "https://a.test/", ("cache-control", "no-cache"), ""),
            (
                "GET",
                "https://a.test/",
                ("authorization", "Basic eA=="),
                "",
            ),
            ("GET", "https://a.test/", ("x-nobody-knows", "1"), ""),
            ("GET", "https://a.test/", ("accept", "\u{e4}"), ""),
            ("GET", "https://a.test/", ("accept", "a"), "body"),
        ] {
            assert_eq!(
                of(method, uri, &[field], body),
                None,
                "{method} {uri} {field:?}"
            );
        }
        let twice = [("x-request-id", "7"), ("x-request-id", "8")];
        assert_eq!(of("GET", "https://a.test/", &twice, ""), None);
    }

    #[test]
    fn every_beginning_of_a_plain_request_is_partial() {
        let head = b"HEAD /a HTTP/1.1\r\nhost: a.test\r\nuser-agent: x y\r\n\r\n";
        for end in 0..head.len() {
            assert_eq!(read(&head[..end]), Reading::Partial, "{end}");
        }
        assert!(request(head).is_some());
    }

    #[test]
    fn what_is_unusual_is_in_doubt() {
        let with = |field: &str| format!("GET / HTTP/1.1\r\nhost: a.test\r\n{field}\r\n\r\n");
        let many = "accept: a\r\n".repeat(MAX_FIELDS);
        for head in [
            "\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: a\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "get / HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET  / HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET\t/ HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET * HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET /# HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET /\u{e4} HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET /\0 HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET / HTTP/1.0\r\nhost: a\r\n\r\n",
            "GET /  HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET / HTTP/1.1 \r\nhost: a\r\n\r\n",
            "GET /\r\nhost: a\r\n\r\n",
            "GET / HTTP/1.1\nhost: a\n\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nhost:\r\n\r\n",
            &with("host: b.test"),
            &with("x-request-id: 1\r\nx-request-id: 2"),
            &with("accept : a"),
            &with(" accept: a"),
            &with("accept: a\r\n b"),
            &with("accept: a\r\n\tb"),
            &with("accept: a\nreferer: b"),
            &with("accept: a\rb"),
            &with("accept: \u{e4}"),
            &with("accept: \u{7f}"),
            &with("accept: \0"),
            &with("acc(ept: a"),
            &with(": a"),
            &with("accept"),
            &with("content-length: 0"),
            &with("content-length: 5"),
            &with("transfer-encoding: chunked"),
            &with("connection: close"),
            &with("connection: keep-alive, te"),
            &with("connection: upgrade"),
            &with("upgrade: h2c"),
            &with("te: trailers"),
            &with("expect: 100-continue"),
            &with("range: bytes=0-1"),
            &with("if-none-match: \"a\""),
            &with("if-range: \"a\""),
            &with("cache-control: no-cache"),
            &with("pragma: no-cache"),
            &with("authorization: Basic eA=="),
            &with("cdn-loop: selvedge"),
            &with("x-nobody-knows: 1"),
            &with("sec-websocket-key: 1"),
            &with("a-name-that-is-longer-than-any-that-is-known: 1"),
            &with(&many),
        ] {
            assert_eq!(read(head.as_bytes()), Reading::Doubt, "{head:?}");
        }
    }

    /// What hyper's parser makes of a head: octets, method, target and fields.
    fn httparse(bytes: &[u8]) -> Option<(usize, String, String, HeaderMap)> {
        let mut fields = [httparse::EMPTY_HEADER; 2 * MAX_FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        let httparse::Status::Complete(length) = request.parse(bytes).ok()? else {
            return None;
        };
        assert_eq!(request.version, Some(1));
        let mut headers = HeaderMap::new();
        for field in request.headers.iter() {
            let name = HeaderName::from_bytes(field.name.as_bytes()).expect("a name");
            let value = HeaderValue::from_bytes(field.value).expect("a value");
            headers.append(name, value);
        }
        let (method, target) = (request.method?.to_owned(), request.path?.to_owned());
        Some((length, method, target, headers))
    }

    /// Says whether it was read, and panics when hyper would read it otherwise.
    fn agrees_with_hyper(bytes: &[u8]) -> bool {
        let Some((got, read)) = request(bytes) else {
            return false;
        };
        let (length, method, target, fields) = httparse(bytes).expect("hyper reads it too");
        assert_eq!((read, got.method().as_str()), (length, &*method));
        assert_eq!(got.target, target);
        let uri: http::Uri = target.parse().expect("hyper takes the target");
        let sent = uri.path_and_query().map(|all| all.as_str());
        assert_eq!(sent, Some(got.target));
        assert_eq!(got.headers(), fields);
        let host = fields.get("host").map(HeaderValue::as_bytes);
        assert_eq!(host, Some(got.host.as_bytes()));
        for name in [
            "content-length",
            "transfer-encoding",
            "upgrade",
            "expect",
            "trailer",
        ] {
            assert!(!fields.contains_key(name));
        }
        true
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let usual = prop::sample::select(vec![
            &b"GET "[..],
            b"HEAD ",
            b"POST ",
            b"/",
            b"/a?b=c",
            b" HTTP/1.1\r\n",
            b" HTTP/1.0\r\n",
            b"host: a.test\r\n",
            b"Host:b\r\n",
            b"accept: */*\r\n",
            b"cookie: a=b; c\r\n",
            b"content-length: 1\r\n",
            b"transfer-encoding: chunked\r\n",
            b"\r\n",
            b"\r",
            b"\n",
            b": ",
            b" ",
            b"\t",
            b"connection: keep-alive\r\n",
            b"connection: close\r\n",
            b"user-agent:\t x \t\r\n",
            b"x: y\r\n",
            b"\0",
            b"\x80",
        ]);
        prop_oneof![
            8 => usual.prop_map(<[u8]>::to_vec),
            1 => prop::collection::vec(any::<u8>(), 0..4),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn hyper_reads_the_same(pieces in prop::collection::vec(piece(), 0..10)) {
            agrees_with_hyper(&pieces.concat());
        }

        #[test]
        fn hyper_reads_the_same_around_a_whole_request(
            target in "/[ -~]{0,20}",
            fields in prop::collection::vec(
                ("(accept|Cookie|REFERER|x-request-id|host|te|range)", "[ \t]{0,2}[ -~\t]{0,12}"),
                0..5,
            ),
            (at, octet) in (any::<prop::sample::Index>(), any::<Option<u8>>()),
        ) {
            let mut head = format!("GET {target} HTTP/1.1\r\nhost: a.test\r\n");
            for (name, value) in fields {
                head.push_str(&format!("{name}:{value}\r\n"));
            }
            let mut head = (head + "\r\n").into_bytes();
            if let Some(octet) = octet {
                let at = at.index(head.len());
                head[at] = octet;
            }
            agrees_with_hyper(&head);
        }

        #[test]
        fn a_plain_one_is_read_by_both(
            target in "/[a-zA-Z0-9./?&=%_~-]{0,20}",
            agent in "[!-~]([ -~]{0,20}[!-~])?",
        ) {
            let head = format!(
                "GET {target} HTTP/1.1\r\nhost: a.test\r\nuser-agent: {agent}\r\n\r\nrest"
            );
            prop_assert!(agrees_with_hyper(head.as_bytes()));
        }
    }
}
