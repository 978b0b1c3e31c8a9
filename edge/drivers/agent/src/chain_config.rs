//! What the chain node pushed, put together from deltas.
//!
//! On disk: the SCALE form of [`ChainConfig`], replaced as a whole by renaming. A crash leaves the
//! former one or the new one; a file that cannot be read is treated as none, and the chain node
//! pushes everything again.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use codec::{Decode, DecodeAll, Encode};
use selvedge_primitives_types::agent::{
    BlockRef, ClockConfig, ConfigDelta, NodeConfig, SectionVersions, ServiceConfig,
};
use selvedge_primitives_types::{Epoch, PriceList};

/// Everything a daemon knows of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ChainConfig {
    /// The block it was read at.
    pub block: BlockRef,
    /// The clock.
    pub clock: ClockConfig,
    /// Digests of the sections held.
    pub versions: SectionVersions,
    /// Nodes with an active stake.
    pub nodes: Vec<NodeConfig>,
    /// Services.
    pub services: Vec<ServiceConfig>,
    /// Price lists.
    pub prices: Vec<PriceList>,
    /// Epochs committed.
    pub committed: Vec<Epoch>,
    /// The last epoch up to which everything is credited or void.
    pub done_through: Option<Epoch>,
}

/// Why a delta is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// It is of another chain than the one held; a daemon serves one chain for its whole life.
    #[error("the delta is of another chain")]
    OtherChain,
    /// Its clock cannot be one.
    #[error("the delta's clock is not possible")]
    Clock,
}

impl ChainConfig {
    /// Puts a delta on top of what is held. A section that the delta leaves out stays, with the
    /// digest it was held under; when that is not the delta's, the daemon's status tells, and the
    /// chain node sends the section.
    ///
    /// Errors: [`ApplyError`]; nothing changes then.
    pub fn apply(held: Option<&Self>, delta: ConfigDelta) -> Result<Self, ApplyError> {
        if held.is_some_and(|held| held.clock.genesis != delta.clock.genesis) {
            return Err(ApplyError::OtherChain);
        }
        let clock = &delta.clock;
        let is_possible = clock.epoch_length.0 > 0 && clock.epoch_start.0 <= clock.now.0;
        if !is_possible {
            return Err(ApplyError::Clock);
        }
        let mut next = Self {
            block: delta.block,
            clock: delta.clock,
            versions: held.map(|held| held.versions).unwrap_or_default(),
            nodes: held.map(|held| held.nodes.clone()).unwrap_or_default(),
            services: held.map(|held| held.services.clone()).unwrap_or_default(),
            prices: held.map(|held| held.prices.clone()).unwrap_or_default(),
            committed: delta.committed,
            done_through: delta.done_through,
        };
        if let Some(nodes) = delta.nodes {
            (next.nodes, next.versions.nodes) = (nodes, delta.versions.nodes);
        }
        if let Some(services) = delta.services {
            (next.services, next.versions.services) = (services, delta.versions.services);
        }
        if let Some(prices) = delta.prices {
            (next.prices, next.versions.prices) = (prices, delta.versions.prices);
        }
        Ok(next)
    }
}

/// A config on disk.
#[derive(Clone, Debug)]
pub struct ConfigFile(PathBuf);

impl ConfigFile {
    /// Kept at this path.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// What was written last, if it can be read.
    pub fn load(&self) -> Option<ChainConfig> {
        let bytes = fs::read(&self.0).ok()?;
        match ChainConfig::decode_all(&mut &bytes[..]) {
            Ok(config) => Some(config),
            Err(_) => {
                tracing::warn!(path = %self.0.display(), "the kept chain config cannot be read");
                None
            }
        }
    }

    /// Replaces what is there.
    pub fn save(&self, config: &ChainConfig) -> io::Result<()> {
        replace(&self.0, &config.encode())
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = fs::File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_primitives_types::{Millis, Prices};

    fn delta() -> ConfigDelta {
        ConfigDelta {
            block: BlockRef {
                number: 1,
                parent: [1; 32],
            },
            clock: ClockConfig {
                genesis: [2; 32],
                epoch: Epoch(3),
                epoch_start: Millis(180_000),
                epoch_length: Millis(60_000),
                now: Millis(181_000),
                keep_epochs: 24,
            },
            versions: SectionVersions {
                nodes: [1; 32],
                services: [2; 32],
                prices: [3; 32],
            },
            nodes: Some(Vec::new()),
            services: None,
            prices: Some(vec![PriceList {
                version: 1,
                prices: Prices([5; 6]),
            }]),
            committed: Vec::new(),
            done_through: None,
        }
    }

    #[test]
    fn a_section_left_out_stays_under_its_own_digest() {
        let first = ChainConfig::apply(None, delta()).unwrap();
        // Services were never sent, so their digest says that nothing is held.
        let versions = SectionVersions {
            services: [0; 32],
            ..delta().versions
        };
        assert_eq!(first.versions, versions);
        let mut later = delta();
        later.prices = None;
        later.versions.prices = [9; 32];
        later.services = Some(Vec::new());
        let second = ChainConfig::apply(Some(&first), later).unwrap();
        assert_eq!(second.prices, first.prices);
        assert_eq!(second.versions, delta().versions);
    }

    #[test]
    fn another_chain_and_an_impossible_clock_are_refused() {
        let held = ChainConfig::apply(None, delta()).unwrap();
        let mut other = delta();
        other.clock.genesis = [9; 32];
        assert_eq!(
            ChainConfig::apply(Some(&held), other),
            Err(ApplyError::OtherChain)
        );
        let mut stopped = delta();
        stopped.clock.epoch_length = Millis(0);
        assert_eq!(ChainConfig::apply(None, stopped), Err(ApplyError::Clock));
    }

    #[test]
    fn what_is_saved_is_loaded_and_a_broken_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = ConfigFile::new(folder.path().join("chain.scale"));
        assert_eq!(file.load(), None);
        let config = ChainConfig::apply(None, delta()).unwrap();
        file.save(&config).unwrap();
        assert_eq!(file.load(), Some(config));
        fs::write(folder.path().join("chain.scale"), [1, 2, 3]).unwrap();
        assert_eq!(file.load(), None);
    }
}
