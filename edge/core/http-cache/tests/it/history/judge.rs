//! Says which answers are forbidden, by the words that the messages were made of.

use selvedge_edge_core_http_cache::Policy;

use super::messages::{Asked, Said};

/// Something stored, with the words it came from.
#[derive(Clone, Debug)]
pub struct Entry {
    pub said: Said,
    pub asked: Asked,
    pub requested: u64,
    pub received: u64,
    /// Whether its body ended as it should.
    pub is_whole: bool,
}

impl Entry {
    pub fn age(&self, now: u64) -> u64 {
        let apparent = self.received.saturating_sub(self.said.date / 1_000 * 1_000);
        let stated = self.said.age.unwrap_or(0) * 1_000 + (self.received - self.requested);
        apparent.max(stated) + (now - self.received)
    }

    pub fn lifetime(&self, policy: &Policy) -> u64 {
        let said = &self.said;
        let stated = said.seconds("s-maxage").or(said.seconds("max-age"));
        if let Some(seconds) = stated {
            return seconds * 1_000;
        }
        let whole = |moment: u64| moment / 1_000 * 1_000;
        if let Some(expires) = said.expires {
            return whole(expires).saturating_sub(whole(said.date));
        }
        let is_known = matches!(said.status, 200 | 404) || said.says("public");
        match (policy.heuristic, said.modified) {
            (Some(_), Some(modified)) if is_known => {
                whole(said.date).saturating_sub(whole(modified)) / 10
            }
            _ => 0,
        }
    }
}

/// What an answer was given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// It may be used as it is.
    Reuse,
    /// The origin failed.
    Error {
        /// Whether it was not reached at all.
        is_unreachable: bool,
    },
    /// The origin was asked a moment ago.
    Validated,
}

/// Whether what is stored may answer a request; the error says which rule forbids it.
pub fn check(
    policy: &Policy,
    entry: &Entry,
    to: &Asked,
    now: u64,
    because: Because,
) -> Result<(), &'static str> {
    let said = &entry.said;
    let deny = |is_denied: bool, rule: &'static str| if is_denied { Err(rule) } else { Ok(()) };
    deny(!entry.is_whole, "RFC 9111 §3.3: not whole")?;
    let is_understood = said.says("must-understand") && said.status != 599;
    deny(said.says("no-store") && !is_understood, "RFC 9111 §5.2.2.5")?;
    deny(said.says("private"), "RFC 9111 §5.2.2.7")?;
    deny(entry.asked.asks("no-store"), "RFC 9111 §5.2.1.5")?;
    deny(
        entry.asked.has_secret && !(policy.share_authorized && said.is_for_all()),
        "RFC 9111 §3.5: asked for with credentials",
    )?;
    deny(
        to.has_secret && !said.is_for_all(),
        "RFC 9111 §3.5: for those without credentials",
    )?;
    let own = &entry.asked;
    let is_other = match said.vary {
        "accept" => own.accept != to.accept,
        "x-a" => own.x_a != to.x_a,
        "cookie" => own.has_cookie || to.has_cookie,
        "*" => true,
        _ => false,
    };
    deny(is_other, "RFC 9111 §4.1")?;
    if because == Because::Validated {
        return Ok(());
    }
    deny(said.says("no-cache"), "RFC 9111 §5.2.2.4")?;
    let (age, lifetime) = (entry.age(now), entry.lifetime(policy));
    if because == Because::Reuse {
        deny(to.asks("no-cache"), "RFC 9111 §5.2.1.4")?;
        let is_too_old = to.asks("max-age=10") && age > 10_000;
        deny(is_too_old, "RFC 9111 §5.2.1.1")?;
        let is_too_short = to.asks("min-fresh=10") && age + 10_000 > lifetime;
        deny(is_too_short, "RFC 9111 §5.2.1.3")?;
    }
    if age < lifetime {
        return Ok(());
    }
    let stale = age - lifetime;
    deny(said.says("must-revalidate"), "RFC 9111 §5.2.2.2")?;
    deny(said.says("proxy-revalidate"), "RFC 9111 §5.2.2.8")?;
    let is_shared_only = said.seconds("s-maxage").is_some();
    let says = |name: &str| {
        said.seconds(name)
            .is_some_and(|window| stale <= window * 1_000)
    };
    let is_allowed = match because {
        Because::Reuse => {
            let accepts = to.asks("max-stale") || to.asks("max-stale=10") && stale <= 10_000;
            policy.stale_while_revalidate && says("stale-while-revalidate")
                || accepts && !is_shared_only
        }
        Because::Error { is_unreachable } => {
            let accepts = to.asks("stale-if-error=10") && stale <= 10_000;
            let waits = is_unreachable && stale < policy.stale_when_unreachable.0;
            says("stale-if-error") || (accepts || waits) && !is_shared_only
        }
        Because::Validated => true,
    };
    deny(!is_allowed, "RFC 9111 §4.2.4")
}
