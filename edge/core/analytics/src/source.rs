//! Where an answer came from, and of which class it was.

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The gateway's memory.
    Memory,
    /// A cache's store.
    Cache,
    /// The frames of another gateway's fetch.
    Shared,
    /// The origin, and it is shared.
    Origin,
    /// The origin, after it said that what is stored is still good.
    Validated,
    /// What is stored, although stale, because the origin failed.
    Stale,
    /// The origin, for this visitor alone.
    Pass,
    /// The gateway itself.
    Own,
}

impl Source {
    /// Every source, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Memory,
        Self::Cache,
        Self::Shared,
        Self::Origin,
        Self::Validated,
        Self::Stale,
        Self::Pass,
        Self::Own,
    ];

    /// A short name in lower case, the same in logs, metrics and analytics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cache => "cache",
            Self::Shared => "shared",
            Self::Origin => "origin",
            Self::Validated => "validated",
            Self::Stale => "stale",
            Self::Pass => "pass",
            Self::Own => "own",
        }
    }

    /// Whether the origin was not asked for this answer.
    pub fn is_hit(self) -> bool {
        matches!(
            self,
            Self::Memory | Self::Cache | Self::Shared | Self::Stale
        )
    }

    /// Its place in [`Self::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// The first digit of a status (RFC 9110 §15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusClass {
    /// 1xx.
    Informational,
    /// 2xx.
    Successful,
    /// 3xx.
    Redirection,
    /// 4xx.
    ClientError,
    /// 5xx, and what is no status at all.
    ServerError,
}

impl StatusClass {
    /// Every class, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Informational,
        Self::Successful,
        Self::Redirection,
        Self::ClientError,
        Self::ServerError,
    ];

    /// The class of a status. RFC 9110 §15: what is not understood is a server error.
    pub fn of(status: u16) -> Self {
        match status / 100 {
            1 => Self::Informational,
            2 => Self::Successful,
            3 => Self::Redirection,
            4 => Self::ClientError,
            _ => Self::ServerError,
        }
    }

    /// `1xx` to `5xx`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Informational => "1xx",
            Self::Successful => "2xx",
            Self::Redirection => "3xx",
            Self::ClientError => "4xx",
            Self::ServerError => "5xx",
        }
    }

    /// Its place in [`Self::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_places() {
        for (place, source) in Source::ALL.into_iter().enumerate() {
            assert_eq!(source.index(), place);
        }
        for (place, class) in StatusClass::ALL.into_iter().enumerate() {
            assert_eq!(class.index(), place);
            assert_eq!(StatusClass::of(place as u16 * 100 + 101), class);
        }
        for odd in [0, 99, 600, u16::MAX] {
            assert_eq!(StatusClass::of(odd), StatusClass::ServerError);
        }
    }
}
