//! Which content coding an answer gets (RFC 9110 §8.4, §12.5.3).

use http::{header, HeaderMap, HeaderValue, StatusCode};

use crate::document::{Coding, Compression};
use crate::plan::vary_by;

impl Compression {
    /// Whether an answer with these fields, and a body of this length, is one to compress.
    pub fn is_about(&self, status: StatusCode, headers: &HeaderMap, length: u64) -> bool {
        let text = |name| {
            headers
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok())
        };
        let kind = text(header::CONTENT_TYPE)
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        let kind = kind.trim().to_ascii_lowercase();
        let is_kind = |own: &String| match own.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
            None => kind == *own,
        };
        // RFC 9111 §5.2.2.6: whoever forbids it means it.
        let lines = headers.get_all(header::CACHE_CONTROL).into_iter();
        let is_fixed = lines.filter_map(|line| line.to_str().ok()).any(|line| {
            line.split(',')
                .any(|member| member.trim().eq_ignore_ascii_case("no-transform"))
        });
        status == StatusCode::OK
            && length >= self.min_bytes
            && !headers.contains_key(header::CONTENT_ENCODING)
            && !headers.contains_key(header::CONTENT_RANGE)
            && !is_fixed
            && self.types.iter().any(is_kind)
    }

    /// The coding for a visitor, if it takes one: the one it likes best, and of several the one that
    /// the document names first.
    pub fn choose(&self, request: &HeaderMap) -> Option<Coding> {
        let lines = request.get_all(header::ACCEPT_ENCODING).into_iter();
        let mut weights: [Option<u16>; 3] = [None; 3];
        let mut any = None;
        for member in lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
        {
            let mut parts = member.split(';');
            let name = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=").map(thousandths));
            let weight = weight.unwrap_or(1_000);
            let place = self.codings.iter().position(|coding| {
                coding.name() == name || (*coding == Coding::Gzip && name == "x-gzip")
            });
            match place.and_then(|place| weights.get_mut(place)) {
                Some(place) => *place = Some(weight),
                None if name == "*" => any = Some(weight),
                None => {}
            }
        }
        let of = |place: usize| weights[place].or(any).unwrap_or_default();
        let best = (0..self.codings.len().min(3))
            .rev()
            .max_by_key(|place| of(*place))?;
        (of(best) > 0).then(|| self.codings[best])
    }

    /// Says of an answer that it might come in another coding: to other caches, and in its entity tag,
    /// which is no longer one of these very bytes.
    pub fn mark(&self, headers: &mut HeaderMap) {
        vary_by(headers, "accept-encoding");
        let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
        if let Some(tag) = tag.filter(|tag| tag.starts_with('"')) {
            if let Ok(weak) = HeaderValue::from_str(&format!("W/{tag}")) {
                headers.insert(header::ETAG, weak);
            }
        }
    }
}

/// A weight (RFC 9110 §12.4.2) in thousandths; what is none counts nothing.
fn thousandths(text: &str) -> u16 {
    let text = text.trim();
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let is_number = rest.len() <= 3 && rest.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "1" if is_number => 1_000,
        "0" if is_number => format!("{rest:0<3}").parse().unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compression() -> Compression {
        Compression {
            codings: vec![Coding::Zstd, Coding::Br, Coding::Gzip],
            types: vec!["text/*".to_owned(), "application/json".to_owned()],
            min_bytes: 100,
        }
    }

    fn fields(lines: &[(&'static str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &str)| {
            (
                header::HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn a_visitor_gets_the_coding_that_it_likes_best() {
        for (accepts, expected) in [
            ("", None),
            ("gzip", Some(Coding::Gzip)),
            ("gzip, br", Some(Coding::Br)),
            ("gzip;q=1.0, br;q=0.5, zstd;q=0", Some(Coding::Gzip)),
            ("*", Some(Coding::Zstd)),
            ("*;q=0.1, zstd;q=0", Some(Coding::Br)),
            ("identity", None),
            ("gzip;q=0", None),
            ("GZIP;q=2", None),
            ("x-gzip", Some(Coding::Gzip)),
        ] {
            let chosen = compression().choose(&fields(&[("accept-encoding", accepts)]));
            assert_eq!(chosen, expected, "{accepts}");
        }
        assert_eq!(compression().choose(&HeaderMap::new()), None);
    }

    #[test]
    fn only_what_shrinks_and_may_be_changed_is_compressed() {
        let is = |lines: &[(&'static str, &str)], status, length| {
            compression().is_about(
                StatusCode::from_u16(status).unwrap(),
                &fields(lines),
                length,
            )
        };
        let html = ("content-type", "Text/HTML; charset=utf-8");
        assert!(is(&[html], 200, 100));
        assert!(
            !is(&[html], 200, 99)
                && !is(&[html], 206, 100)
                && !is(&[("content-type", "image/png")], 200, 100)
        );
        assert!(!is(&[html, ("content-encoding", "br")], 200, 100));
        assert!(!is(
            &[html, ("cache-control", "public, No-Transform")],
            200,
            100
        ));
        let mut marked = fields(&[("etag", "\"a\""), ("vary", "origin")]);
        compression().mark(&mut marked);
        compression().mark(&mut marked);
        assert_eq!(
            (
                marked["etag"].to_str().unwrap(),
                marked["vary"].to_str().unwrap()
            ),
            ("W/\"a\"", "origin, accept-encoding")
        );
    }
}
