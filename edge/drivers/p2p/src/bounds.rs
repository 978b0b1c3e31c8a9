//! How much of what strangers send is taken.

use std::time::Duration;

/// Connections that others may have opened at once.
pub const INCOMING: usize = 512;
/// Connections that this node may have opened at once.
pub const OUTGOING: usize = 128;
/// Addresses dialled at once.
pub const DIALS: usize = 4;
/// Octets in a message: twenty peers with a few addresses each.
pub const MESSAGE: usize = 16 * 1024;
/// Roots with provider records here: 65,536 of at most twenty providers, some 100 MiB at the worst.
pub const ROOTS: usize = 65_536;
/// Providers of a root.
pub const PROVIDERS: usize = 20;
/// Addresses of a provider or peer.
pub const ADDRESSES: usize = 4;
/// How long a record counts without being renewed.
pub const LIFE: Duration = Duration::from_secs(48 * 60 * 60);
/// How often a node renews its records (IPFS has the same).
pub const RENEWED: Duration = Duration::from_secs(22 * 60 * 60);
/// Questions that wait for an answer.
pub const QUESTIONS: usize = 256;
/// How often the table is refreshed by looking for peers near this one.
pub const REFRESHED: Duration = Duration::from_secs(300);
