//! Redirects that lead back to where they began.

use http::{HeaderMap, Method, StatusCode, Uri};

use crate::condition::{Asked, Steps};
use crate::document::{Redirect, Rules};
use crate::plan::method_after;
use crate::request::{plain_path, Request};
use crate::Limits;

/// Where a redirect leads from a request. The query goes along unless it has its own.
pub(crate) fn target(redirect: &Redirect, request: &Request<'_>, captured: &[&[u8]]) -> String {
    let to = redirect.to.fill(request, captured);
    match request.query() {
        Some(query) if !redirect.to.has_query() => match to.split_once('#') {
            Some((before, fragment)) => format!("{before}?{query}#{fragment}"),
            None => format!("{to}?{query}"),
        },
        _ => to,
    }
}

/// Path and query of where it leads, and whether over TLS, if that is the same host.
fn at_home(to: &str, request: &Request<'_>) -> Option<(String, bool)> {
    let to = to.split('#').next()?;
    if to.starts_with('/') {
        return Some((to.to_owned(), request.is_tls));
    }
    let uri: Uri = to.parse().ok()?;
    let is_home = uri.host()?.eq_ignore_ascii_case(request.host);
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    is_home.then(|| (target.to_owned(), uri.scheme_str() == Some("https")))
}

/// The rule that redirects a request, with where to. `None` when none does, or another one answers
/// first.
fn next(rules: &Rules, request: &Request<'_>, steps: &mut Steps) -> Option<(String, StatusCode)> {
    if request.path().len() > Limits::PATH {
        return None;
    }
    let path = plain_path(request.path().as_bytes());
    let asked = Asked {
        request,
        path: &path,
    };
    for rule in &rules.rules {
        let Ok(Some(captured)) = rule.when.matches(&asked, steps) else {
            continue;
        };
        if rule.deny.is_some() || rule.page.is_some() {
            return None;
        }
        if let Some(redirect) = &rule.redirect {
            return Some((target(redirect, request, &captured), redirect.status));
        }
        if rule.is_last {
            return None;
        }
    }
    None
}

/// Whether a visitor who follows a redirect comes back, or is sent on more often than
/// [`Limits::HOPS`] within the same host.
pub(crate) fn is_circle(
    rules: &Rules,
    request: &Request<'_>,
    (to, status): (&str, StatusCode),
    steps: &mut Steps,
) -> bool {
    let mut seen = vec![(
        request.target.to_owned(),
        request.is_tls,
        request.method.clone(),
    )];
    let mut leads = Some((to.to_owned(), status));
    while let Some((to, status)) = leads {
        let method = seen
            .last()
            .map_or(Method::GET, |(_, _, method)| method_after(method, status));
        let Some((target, is_tls)) = at_home(&to, request) else {
            return false;
        };
        let place = (target, is_tls, method);
        if seen.contains(&place) || seen.len() > Limits::HOPS {
            return true;
        }
        seen.push(place);
        leads = seen.last().and_then(|(target, is_tls, method)| {
            let after = Request {
                is_tls: *is_tls,
                target,
                method,
                ..*request
            };
            next(rules, &after, steps)
        });
    }
    false
}

/// The first rule that surely leads round in a circle, seen from where its own paths begin, with what
/// to do about it.
///
/// Only rules about nothing but paths are followed: whether others apply is for the visitor to show,
/// and [`is_circle`] looks again then.
pub(crate) fn find(rules: &Rules) -> Option<(usize, String)> {
    let headers = HeaderMap::new();
    for (index, rule) in rules.rules.iter().enumerate() {
        let Some(redirect) = rule
            .redirect
            .as_ref()
            .filter(|_| rule.when.is_about_address())
        else {
            continue;
        };
        for (host, path) in rule.when.samples() {
            let request = Request {
                is_tls: true,
                host: &host,
                method: &Method::GET,
                target: &path,
                headers: &headers,
                client: [192, 0, 2, 1].into(),
            };
            let plain = plain_path(path.as_bytes());
            let asked = Asked {
                request: &request,
                path: &plain,
            };
            let captured = match rule.when.matches(&asked, &mut Steps::new()) {
                Ok(Some(captured)) => captured,
                _ => continue,
            };
            let to = target(redirect, &request, &captured);
            let is_decided = rules.rules[..index]
                .iter()
                .all(|rule| rule.redirect.is_none() || rule.when.is_about_address());
            if is_decided && is_circle(rules, &request, (&to, redirect.status), &mut Steps::new()) {
                let text = format!(
                    "`{}` redirects {path} to {to}, and from there in a circle: except where it leads to with `when.not.path`",
                    rule.name
                );
                return Some((index, text));
            }
        }
    }
    None
}
