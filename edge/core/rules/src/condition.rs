//! When a rule applies.

use core::fmt;
use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::Deserialize;

use crate::pattern::{HostPattern, PathPattern, TextPattern};
use crate::request::Request;
use crate::words::{FieldWord, List, MethodWord};
use crate::{Limits, Overrun};

/// Conditions; all that are there must hold, and of several values one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    #[serde(default)]
    host: List<HostPattern>,
    scheme: Option<Scheme>,
    #[serde(default)]
    method: List<MethodWord>,
    #[serde(default)]
    path: List<PathPattern>,
    #[serde(default)]
    path_regex: List<Expression>,
    #[serde(default)]
    query: Named<TextPattern>,
    #[serde(default)]
    header: Named<FieldWord>,
    #[serde(default)]
    cookie: Named<TextPattern>,
    #[serde(default)]
    client: List<Net>,
    not: Option<Box<When>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scheme {
    Http,
    Https,
}

#[derive(Clone, Debug)]
struct Expression(PathPattern);

impl core::str::FromStr for Expression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        PathPattern::expression(text).map(Self)
    }
}

/// Addresses: one, or those with one beginning.
#[derive(Clone, Debug)]
struct Net(IpNet);

impl core::str::FromStr for Net {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let one = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
        let net = text.parse::<IpNet>().ok().or_else(one);
        let net = net.ok_or(
            "not an address: write one, or a block such as \"192.0.2.0/24\" or \"2001:db8::/32\"",
        )?;
        if net.trunc() != net {
            return Err("the address has bits beyond its prefix: write the block's first address");
        }
        Ok(Self(net))
    }
}

/// What must be there under a name, or must not.
#[derive(Clone, Debug)]
enum Presence {
    There(bool),
    OneOf(Vec<TextPattern>),
}

impl Presence {
    /// How often a text is read for it, at most.
    fn weight(&self) -> usize {
        match self {
            Self::There(_) => 1,
            Self::OneOf(texts) => 1 + texts.len(),
        }
    }

    fn holds<'a>(&self, mut values: impl Iterator<Item = std::borrow::Cow<'a, str>>) -> bool {
        match self {
            Self::There(is_there) => values.next().is_some() == *is_there,
            Self::OneOf(texts) => values.any(|value| texts.iter().any(|text| text.matches(&value))),
        }
    }
}

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PresenceVisitor)
    }
}

struct PresenceVisitor;

impl<'de> Visitor<'de> for PresenceVisitor {
    type Value = Presence;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, a text, or a list of texts")
    }

    fn visit_bool<E: serde::de::Error>(self, is_there: bool) -> Result<Presence, E> {
        Ok(Presence::There(is_there))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Presence, E> {
        let pattern = text.parse().map_err(E::custom)?;
        Ok(Presence::OneOf(vec![pattern]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, members: A) -> Result<Presence, A::Error> {
        let list = List::deserialize(serde::de::value::SeqAccessDeserializer::new(members))?;
        Ok(Presence::OneOf(list.0))
    }
}

/// Names with what must be there under each.
#[derive(Clone, Debug)]
struct Named<N>(Vec<(N, Presence)>);

impl<N> Default for Named<N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, N: core::str::FromStr<Err: fmt::Display>> Deserialize<'de> for Named<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamedVisitor<N>(core::marker::PhantomData<N>);

        impl<'de, N: core::str::FromStr<Err: fmt::Display>> Visitor<'de> for NamedVisitor<N> {
            type Value = Named<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of names and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut named = Vec::new();
                while let Some((name, presence)) = map.next_entry::<String, Presence>()? {
                    if named.len() >= Limits::LIST {
                        let text = format!("more than {} names: write two rules", Limits::LIST);
                        return Err(A::Error::custom(text));
                    }
                    let parsed = name
                        .parse()
                        .map_err(|why| A::Error::custom(format!("`{name}`: {why}")))?;
                    named.push((parsed, presence));
                }
                Ok(Named(named))
            }
        }

        deserializer.deserialize_map(NamedVisitor(core::marker::PhantomData))
    }
}

/// What is left of the steps of a request.
#[derive(Debug)]
pub(crate) struct Steps(usize);

impl Steps {
    pub fn new() -> Self {
        Self(Limits::STEPS)
    }

    fn take(&mut self, path: usize, pattern: usize) -> Result<(), Overrun> {
        self.0 = self
            .0
            .checked_sub(path.saturating_mul(pattern))
            .ok_or(Overrun::Steps)?;
        Ok(())
    }
}

/// A request with its path in its one form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub request: &'a Request<'a>,
    pub path: &'a [u8],
}

impl When {
    /// What the path pattern that matched captured; `None` when a condition does not hold.
    pub fn matches<'a>(
        &self,
        asked: &Asked<'a>,
        steps: &mut Steps,
    ) -> Result<Option<Vec<&'a [u8]>>, Overrun> {
        let request = asked.request;
        let any = |is_empty: bool, holds: bool| is_empty || holds;
        let holds = any(
            self.method.is_empty(),
            self.method.iter().any(|word| word.0 == *request.method),
        ) && self
            .scheme
            .is_none_or(|scheme| (scheme == Scheme::Https) == request.is_tls)
            && any(
                self.host.is_empty(),
                self.host.iter().any(|host| host.matches(request.host)),
            )
            && any(
                self.client.is_empty(),
                self.client
                    .iter()
                    .any(|net| net.0.contains(&canonical(request.client))),
            );
        if !holds {
            return Ok(None);
        }
        if !self.hold_names(request, steps)? {
            return Ok(None);
        }
        let captured = match self.captured(asked.path, steps)? {
            None => return Ok(None),
            Some(captured) => captured,
        };
        if let Some(not) = &self.not {
            if not.matches(asked, steps)?.is_some() {
                return Ok(None);
            }
        }
        Ok(Some(captured))
    }

    /// Whether query, fields and cookies are as they must be.
    fn hold_names(&self, request: &Request<'_>, steps: &mut Steps) -> Result<bool, Overrun> {
        for (name, presence) in &self.query.0 {
            let octets = request.query().map_or(0, str::len);
            steps.take(octets, presence.weight())?;
            let values = request.parameters();
            let values = values.filter(|(other, _)| name.matches(other));
            if !presence.holds(values.map(|(_, value)| value)) {
                return Ok(false);
            }
        }
        for (name, presence) in &self.header.0 {
            let octets = request.lines(&name.0).map(str::len).sum();
            steps.take(octets, presence.weight())?;
            if !presence.holds(request.lines(&name.0).map(Into::into)) {
                return Ok(false);
            }
        }
        for (name, presence) in &self.cookie.0 {
            let octets = request.lines("cookie").map(str::len).sum();
            steps.take(octets, presence.weight())?;
            let values = request.cookies().filter(|(other, _)| name.matches(other));
            if !presence.holds(values.map(|(_, value)| value.into())) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn captured<'a>(
        &self,
        path: &'a [u8],
        steps: &mut Steps,
    ) -> Result<Option<Vec<&'a [u8]>>, Overrun> {
        let mut patterns = self.patterns().peekable();
        if patterns.peek().is_none() {
            return Ok(Some(Vec::new()));
        }
        for pattern in patterns {
            if pattern.is_expression() {
                steps.take(path.len(), pattern.len())?;
            }
            if let Some(captured) = pattern.captured(path) {
                return Ok(Some(captured));
            }
        }
        Ok(None)
    }

    fn patterns(&self) -> impl Iterator<Item = &PathPattern> {
        self.path
            .iter()
            .chain(self.path_regex.iter().map(|expression| &expression.0))
    }

    /// How many captures every one of its path patterns has.
    pub fn captures(&self) -> usize {
        self.patterns()
            .map(PathPattern::captures)
            .min()
            .unwrap_or_default()
    }

    /// Expressions in it.
    pub fn expressions(&self) -> usize {
        let own = self
            .patterns()
            .filter(|pattern| pattern.is_expression())
            .count();
        own + self.not.as_ref().map_or(0, |not| not.expressions())
    }

    /// How many conditions stand within each other.
    pub fn depth(&self) -> usize {
        1 + self.not.as_ref().map_or(0, |not| not.depth())
    }

    /// Whether it looks at nothing but the address.
    pub fn is_about_address(&self) -> bool {
        self.method.is_empty()
            && self.scheme.is_none()
            && self.header.0.is_empty()
            && self.cookie.0.is_empty()
            && self.client.is_empty()
            && self.not.as_ref().is_none_or(|not| not.is_about_address())
    }

    /// Hosts and paths for which it may hold: its own patterns, each star a word.
    pub fn samples(&self) -> Vec<(String, String)> {
        let host = self
            .host
            .first()
            .map_or("selvedge.invalid".to_owned(), HostPattern::sample);
        let mut paths: Vec<String> = self.path.iter().map(PathPattern::sample).collect();
        if self.path.is_empty() && self.path_regex.is_empty() {
            paths.push("/".to_owned());
        }
        // A few of them show what all of them would.
        paths
            .into_iter()
            .take(4)
            .map(|path| (host.clone(), path))
            .collect()
    }

    /// Fields of the visitor that it looks at.
    pub fn fields(&self, into: &mut BTreeMap<String, ()>) {
        for (name, _) in &self.header.0 {
            into.insert(name.0.clone(), ());
        }
        if !self.cookie.0.is_empty() {
            into.insert("cookie".to_owned(), ());
        }
        if let Some(not) = &self.not {
            not.fields(into);
        }
    }
}

/// An address that is written in another family's, as itself.
pub(crate) fn canonical(address: std::net::IpAddr) -> std::net::IpAddr {
    address.to_canonical()
}
