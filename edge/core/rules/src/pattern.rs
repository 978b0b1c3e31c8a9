//! Patterns: of paths, of hosts, of texts.
//!
//! Nothing here goes back over what it has read: the expressions are of a kind that is matched in one
//! pass, and a text with stars is matched piece by piece, each at its first place.

use core::str::FromStr;

use regex::bytes::{Regex, RegexBuilder};

use crate::Limits;

/// A path of a document: `/a/*` is one segment, `/a/**` everything below, `*.png` a last segment
/// anywhere.
#[derive(Clone, Debug)]
pub(crate) struct PathPattern {
    text: String,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    /// This path.
    Exact,
    /// This beginning; what follows is the first capture.
    Beginning(usize),
    /// An expression.
    Expression(Box<Regex>),
}

impl PathPattern {
    /// Whether it needs an expression.
    pub fn is_expression(&self) -> bool {
        matches!(self.how, How::Expression(_))
    }

    /// Octets, for the count of steps.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// How many captures it has.
    pub fn captures(&self) -> usize {
        match &self.how {
            How::Exact => 0,
            How::Beginning(_) => 1,
            How::Expression(expression) => expression.captures_len() - 1,
        }
    }

    /// What its stars or brackets stand for in a path; `None` when it does not match.
    pub fn captured<'a>(&self, path: &'a [u8]) -> Option<Vec<&'a [u8]>> {
        match &self.how {
            How::Exact => (path == self.text.as_bytes()).then(Vec::new),
            How::Beginning(end) => {
                let rest = path.strip_prefix(&self.text.as_bytes()[..*end]);
                rest.map(|rest| vec![rest])
            }
            How::Expression(expression) => {
                let found = expression.captures(path)?;
                let groups = found.iter().skip(1);
                Some(
                    groups
                        .map(|group| group.map_or(&b""[..], |group| group.as_bytes()))
                        .collect(),
                )
            }
        }
    }

    /// A path that it matches, where it is a glob.
    pub fn sample(&self) -> String {
        let path = self.text.replace("**", "x").replace('*', "x");
        if path.starts_with('/') {
            path
        } else {
            format!("/{path}")
        }
    }

    /// Reads a regular expression. Without a `^` it may begin anywhere.
    ///
    /// Errors: what is no expression of this kind, and what is too long or too large.
    pub fn expression(text: &str) -> Result<Self, String> {
        within(text)?;
        let expression = build(text).map_err(|error| {
            // The first lines of the message repeat the expression.
            let said = error.to_string();
            let said = said
                .trim_end()
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            format!(
                "not a regular expression: {said} (look-around and back-references are not there)"
            )
        })?;
        if expression.captures_len() > 10 {
            return Err(
                "more than nine groups: write `(?:…)` where nothing is captured".to_owned(),
            );
        }
        Ok(Self {
            text: text.to_owned(),
            how: How::Expression(Box::new(expression)),
        })
    }
}

fn within(text: &str) -> Result<(), String> {
    if text.len() > Limits::PATTERN {
        return Err(format!(
            "longer than {} octets: shorten it, or split the rule",
            Limits::PATTERN
        ));
    }
    Ok(())
}

fn build(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text)
        .unicode(false)
        .size_limit(Limits::EXPRESSION)
        .dfa_size_limit(Limits::EXPRESSION)
        .nest_limit(32)
        .build()
}

impl FromStr for PathPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        within(text)?;
        if text.contains(['?', '#']) {
            return Err("a path has no `?` or `#`: match the query with `when.query`".to_owned());
        }
        if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err("a path has no blanks: write the octets as `%20`".to_owned());
        }
        // Paths are matched as they are read by servers: with what `%` hides of letters and digits.
        let text = String::from_utf8(crate::request::plain_path(text.as_bytes()))
            .map_err(|_| "not a path: what `%` stands for must be UTF-8".to_owned())?;
        let stars = text.matches('*').count();
        if !text.starts_with(['/', '*']) {
            return Err(
                "a path begins with `/`, or with `*` for a last segment anywhere".to_owned(),
            );
        }
        let how = if stars == 0 {
            How::Exact
        } else if text.starts_with('/') && stars == 2 && text.ends_with("/**") {
            How::Beginning(text.len() - 2)
        } else {
            How::Expression(Box::new(glob(&text)?))
        };
        Ok(Self { text, how })
    }
}

/// The expression of a glob.
fn glob(text: &str) -> Result<Regex, String> {
    let mut expression = String::from("(?s)^");
    let mut groups = 0;
    let mut rest = text;
    if !text.starts_with('/') {
        expression.push_str("(?:.*/)");
        if let Some(after) = text.strip_prefix("**/") {
            rest = after;
        }
    }
    while !rest.is_empty() {
        let (stars, group) = match rest {
            _ if rest.starts_with("***") => {
                return Err(
                    "three stars: write `*` for a segment or `**` for everything".to_owned(),
                )
            }
            _ if rest.starts_with("**") => (2, "(.*)"),
            _ if rest.starts_with('*') => (1, "([^/]*)"),
            _ => {
                let end = rest.find('*').unwrap_or(rest.len());
                expression.push_str(&regex::escape(&rest[..end]));
                rest = &rest[end..];
                continue;
            }
        };
        groups += 1;
        expression.push_str(group);
        rest = &rest[stars..];
    }
    if groups > 9 {
        return Err("more than nine stars in one pattern".to_owned());
    }
    expression.push('$');
    build(&expression).map_err(|error| format!("the pattern is too large: {error}"))
}

/// A host: a name, or `*.` and a name for all below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPattern {
    name: String,
    is_below: bool,
}

impl HostPattern {
    /// A host that it matches.
    pub fn sample(&self) -> String {
        let below = if self.is_below { "x." } else { "" };
        format!("{below}{}", self.name)
    }

    /// Whether a host in lower case without a port is one of these.
    pub fn matches(&self, host: &str) -> bool {
        if !self.is_below {
            return host == self.name;
        }
        let above = host
            .strip_suffix(self.name.as_str())
            .and_then(|rest| rest.strip_suffix('.'));
        above.is_some_and(|above| !above.is_empty())
    }
}

impl FromStr for HostPattern {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, is_below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if name.is_empty() || name.len() > 253 || !name.bytes().all(is_name) {
            return Err("not a host: write a name without scheme and port, or `*.` and a name");
        }
        Ok(Self {
            name: name.to_ascii_lowercase(),
            is_below,
        })
    }
}

/// A text in which `*` stands for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextPattern(Vec<String>);

impl TextPattern {
    /// Whether a text is one of these. Takes a time in proportion to both.
    pub fn matches(&self, text: &str) -> bool {
        let [first, rest @ ..] = &self.0[..] else {
            return false;
        };
        let [middle @ .., last] = rest else {
            return text == first;
        };
        let Some(text) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        let Some(mut text) = text.strip_suffix(last.as_str()) else {
            return false;
        };
        for piece in middle {
            let Some(at) = text.find(piece.as_str()) else {
                return false;
            };
            text = &text[at + piece.len()..];
        }
        true
    }
}

impl FromStr for TextPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        within(text)?;
        Ok(Self(text.split('*').map(str::to_owned).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn captured(pattern: &str, path: &str) -> Option<Vec<String>> {
        let pattern: PathPattern = pattern.parse().unwrap();
        let found = pattern.captured(path.as_bytes())?;
        Some(
            found
                .iter()
                .map(|part| String::from_utf8_lossy(part).into_owned())
                .collect(),
        )
    }

    #[test]
    fn globs_stand_for_a_segment_or_for_everything() {
        for (pattern, path, expected) in [
            ("/a", "/a", Some(vec![])),
            ("/a", "/a/", None),
            ("/a/**", "/a/b/c", Some(vec!["b/c"])),
            ("/a/**", "/a/", Some(vec![""])),
            ("/a/**", "/a", None),
            ("/a/*", "/a/b", Some(vec!["b"])),
            ("/a/*", "/a/b/c", None),
            ("*.png", "/x/y.png", Some(vec!["y"])),
            ("*.png", "/y.png", Some(vec!["y"])),
            ("*.png", "/y.png/z", None),
            ("**/feed", "/a/b/feed", Some(vec![])),
            ("/u/*/p/**", "/u/7/p/x/y", Some(vec!["7", "x/y"])),
            ("/**", "/", Some(vec![""])),
            ("/a.b", "/aXb", None),
            ("/%61", "/a", Some(vec![])),
        ] {
            let expected =
                expected.map(|parts: Vec<&str>| parts.into_iter().map(str::to_owned).collect());
            assert_eq!(captured(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for (text, word) in [
            ("a", "begins with"),
            ("/a?b", "when.query"),
            ("/a b", "blanks"),
            ("/***", "three stars"),
            ("/*/*/*/*/*/*/*/*/*/*", "nine"),
        ] {
            let error = text.parse::<PathPattern>().unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        for (text, word) in [
            ("(", "not a regular expression"),
            ("(?=a)", "look-around"),
            (r"(a)\1", "back-references"),
            ("(((a{100}){100}){100})", "not a regular expression"),
            ("()()()()()()()()()()", "nine groups"),
        ] {
            let error = PathPattern::expression(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn hosts_below_a_name_are_not_the_name() {
        let below: HostPattern = "*.Example.org".parse().unwrap();
        assert!(below.matches("a.example.org") && below.matches("a.b.example.org"));
        assert!(!below.matches("example.org") && !below.matches("badexample.org"));
        assert!("https://a".parse::<HostPattern>().is_err());
    }

    #[test]
    fn stars_of_a_text_stand_for_anything() {
        for (pattern, text, is_match) in [
            ("", "", true),
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*b*c", "a--b--c", true),
            ("a*b*c", "a--c", false),
            ("a*a", "a", false),
            ("abc", "abcd", false),
        ] {
            let pattern_: TextPattern = pattern.parse().unwrap();
            assert_eq!(pattern_.matches(text), is_match, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_is_matched_as_by_an_expression(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
            let expression = format!("(?s)^{}$", pattern.replace('*', ".*"));
            let judge = regex::Regex::new(&expression).unwrap();
            let own: TextPattern = pattern.parse().unwrap();
            prop_assert_eq!(own.matches(&text), judge.is_match(&text));
        }

        #[test]
        fn no_text_makes_a_pattern_panic(pattern in ".{0,40}", path in "/.{0,40}") {
            if let Ok(pattern) = pattern.parse::<PathPattern>() {
                let _ = pattern.captured(path.as_bytes());
            }
            if let Ok(pattern) = PathPattern::expression(&pattern) {
                let _ = pattern.captured(path.as_bytes());
            }
        }
    }
}
