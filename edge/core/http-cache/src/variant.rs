//! The variant of a stored response: which request fields it was chosen by, with their values (RFC
//! 9111 §4.1).

use http::header::{self, HeaderMap, HeaderName};

use crate::{fields, Limits, Rule};

/// Fields whose members have no case, so that `GZIP` and `gzip` are one variant.
const WITHOUT_CASE: [HeaderName; 3] = [
    header::ACCEPT_CHARSET,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
];

/// Names in `Vary`, lower case, sorted and without doubles, each with the request's normalised
/// value; `None` where the request has no such field. Empty for a response without `Vary`.
///
/// Normalised: all lines joined, blanks round the members and empty members taken away, without
/// case where it has no meaning. The order of members is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Variant(Vec<(Vec<u8>, Option<Vec<u8>>)>);

impl Variant {
    /// The variant that a response with these fields is for this request.
    ///
    /// Errors: [`Rule::VaryStar`], [`Rule::Limit`], and [`Rule::Limit`] for a name that is no field
    /// name.
    pub fn new(request: &HeaderMap, response: &HeaderMap, limits: &Limits) -> Result<Self, Rule> {
        let mut names = Vec::new();
        for name in fields::list(response, &header::VARY) {
            if name == b"*" {
                return Err(Rule::VaryStar);
            }
            if names.len() >= limits.vary_names {
                return Err(Rule::Limit);
            }
            names.push(HeaderName::from_bytes(name).map_err(|_| Rule::Limit)?);
        }
        names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        names.dedup();
        let variant = Self(
            names
                .iter()
                .map(|name| (name.as_str().as_bytes().to_vec(), normal(request, name)))
                .collect(),
        );
        if variant.size() > limits.vary_bytes {
            return Err(Rule::Limit);
        }
        Ok(variant)
    }

    /// The variant of these names for another request: the rest of a lookup key, once the names are
    /// known.
    pub fn for_request(&self, request: &HeaderMap) -> Self {
        let values = self.0.iter().map(|(name, _)| {
            let value = HeaderName::from_bytes(name)
                .ok()
                .and_then(|name| normal(request, &name));
            (name.clone(), value)
        });
        Self(values.collect())
    }

    /// Whether a request chooses this variant.
    pub fn matches(&self, request: &HeaderMap) -> bool {
        self.0.iter().all(|(name, value)| {
            HeaderName::from_bytes(name).is_ok_and(|name| normal(request, &name) == *value)
        })
    }

    /// Whether a secret of one visitor is part of it: a record would carry it to other nodes.
    /// Responses that vary by a cookie are still shared among those who have none.
    pub fn has_credentials(&self) -> bool {
        let secret = [&b"authorization"[..], b"cookie"];
        self.0
            .iter()
            .any(|(name, value)| value.is_some() && secret.contains(&name.as_slice()))
    }

    /// As it stands in a record.
    pub fn as_slice(&self) -> &[(Vec<u8>, Option<Vec<u8>>)] {
        &self.0
    }

    /// As it stands in a record.
    pub fn into_inner(self) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        self.0
    }

    /// From a record, whose signature was verified.
    pub fn from_inner(inner: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Self {
        Self(inner)
    }

    /// Bytes of names and values.
    pub fn size(&self) -> usize {
        self.0
            .iter()
            .map(|(name, value)| name.len() + value.as_ref().map_or(0, Vec::len))
            .sum()
    }
}

fn normal(request: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    if !request.contains_key(name) {
        return None;
    }
    let mut value = Vec::new();
    for member in fields::list(request, name) {
        if !value.is_empty() {
            value.push(b',');
        }
        value.extend_from_slice(member);
    }
    if WITHOUT_CASE.contains(name) {
        value.retain(|byte| *byte != b' ' && *byte != b'\t');
        value.make_ascii_lowercase();
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn fields(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    fn variant(request: &HeaderMap, vary: &'static str) -> Result<Variant, Rule> {
        Variant::new(request, &fields(&[("vary", vary)]), &Limits::default())
    }

    #[test]
    fn s4_1_names_are_sorted_and_values_normalised() {
        let request = fields(&[
            ("accept-encoding", "GZIP , br;q=0.5"),
            ("x-b", "B,  C"),
            ("x-b", "D"),
        ]);
        let got = variant(&request, "X-B, Accept-Encoding,x-b, X-None").unwrap();
        let expected: Vec<(Vec<u8>, Option<Vec<u8>>)> = vec![
            (b"accept-encoding".to_vec(), Some(b"gzip,br;q=0.5".to_vec())),
            (b"x-b".to_vec(), Some(b"B,C,D".to_vec())),
            (b"x-none".to_vec(), None),
        ];
        assert_eq!(got.as_slice(), expected);
        assert_eq!(got.for_request(&request), got);
    }

    #[test]
    fn s4_1_absent_empty_and_other_values_do_not_match() {
        let stored = variant(&fields(&[("x-a", "1")]), "x-a").unwrap();
        assert!(stored.matches(&fields(&[("x-a", " 1 ")])));
        assert!(!stored.matches(&fields(&[("x-a", "2")])));
        assert!(!stored.matches(&fields(&[])));
        let absent = variant(&fields(&[]), "x-a").unwrap();
        assert!(absent.matches(&fields(&[])));
        assert!(!absent.matches(&fields(&[("x-a", "")])));
    }

    #[test]
    fn s4_1_a_star_anywhere_never_matches() {
        for vary in ["*", "x-a, *", "*, x-a"] {
            assert_eq!(variant(&fields(&[]), vary), Err(Rule::VaryStar));
        }
    }

    #[test]
    fn names_and_values_are_bounded() {
        let names = fields(&[("vary", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q")]);
        assert_eq!(
            Variant::new(&fields(&[]), &names, &Limits::default()),
            Err(Rule::Limit)
        );
        let mut request = HeaderMap::new();
        request.insert("x-a", HeaderValue::from_str(&"v".repeat(5_000)).unwrap());
        assert_eq!(variant(&request, "x-a"), Err(Rule::Limit));
        assert_eq!(variant(&request, "no name"), Err(Rule::Limit));
    }
}
