//! The folder of a bill: what the chain and the gateways said, so that it can be checked again without them.
//!
//! ```text
//! folder.json                               whose bill, of which days and epochs, read at which block
//! heads/<epoch>.json                        {"head": SCALE of InvoiceHead}
//! lines/<epoch>-<service>-<gateway>.json    {"evidence": SCALE of Evidence}
//! ```
//!
//! SCALE stands in hex with `0x` before it. A file is written under another name first, so that whatever has its name is whole: an
//! interrupted run goes on where it was.

use super::LineKey;
use crate::{error::Failure, keys};
use codec::{Decode, DecodeAll, Encode};
use selvedge_primitives_math::bill::Evidence;
use selvedge_primitives_types::{Epoch, InvoiceHead};
use serde::{de::DeserializeOwned, Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// The longest file that is read, in bytes: a million leaves in hex.
const MAX_FILE: u64 = 1 << 30;

/// The format of the folder.
const FORMAT: u32 = 1;

/// What the folder is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the folder's format.
    pub format: u32,
    /// The chain's genesis hash.
    pub genesis: String,
    /// Who pays: 32 bytes in hex.
    pub customer: String,
    /// First day of the period.
    pub from: String,
    /// Last day of the period.
    pub to: String,
    /// First epoch that began in the period.
    pub first_epoch: u64,
    /// Last one of them that had ended.
    pub last_epoch: u64,
    /// The finalised block that was asked.
    pub block: String,
}

/// A folder with a bill.
pub struct Folder {
    path: PathBuf,
    /// Removes the folder with itself.
    _temporary: Option<TempDir>,
}

impl Folder {
    /// Opens a folder to read it.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let folder = Self {
            path: path.into(),
            _temporary: None,
        };
        if !path.is_dir() {
            return Err(folder.failure(path, "there is no such folder"));
        }
        Ok(folder)
    }

    /// Opens a folder to fill it.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let folder = Self {
            path: path.into(),
            _temporary: None,
        };
        folder.fit_out()?;
        Ok(folder)
    }

    /// A folder that goes when it is dropped.
    pub fn temporary() -> Result<Self, Failure> {
        let temporary = TempDir::new().map_err(|error| Failure::Folder {
            path: std::env::temp_dir().display().to_string(),
            cause: error.to_string(),
        })?;
        let folder = Self {
            path: temporary.path().into(),
            _temporary: Some(temporary),
        };
        folder.fit_out()?;
        Ok(folder)
    }

    fn fit_out(&self) -> Result<(), Failure> {
        for part in ["heads", "lines"] {
            let path = self.path.join(part);
            fs::create_dir_all(&path).map_err(|error| self.failure(&path, error))?;
        }
        Ok(())
    }

    /// What the folder is about; `None` when it is about nothing yet.
    pub fn manifest(&self) -> Result<Option<Manifest>, Failure> {
        let path = self.path.join("folder.json");
        let manifest: Option<Manifest> = self.read(&path)?;
        if let Some(manifest) = &manifest {
            if manifest.format != FORMAT {
                return Err(self.failure(&path, "it is of another version of this program"));
            }
            keys::account(&manifest.customer)?;
            if manifest.first_epoch > manifest.last_epoch {
                return Err(self.failure(&path, "its first epoch is after its last"));
            }
        }
        Ok(manifest)
    }

    /// Says what the folder is about from now on.
    pub fn set_manifest(&self, manifest: &Manifest) -> Result<(), Failure> {
        self.write(&self.path.join("folder.json"), manifest)
    }

    /// The head of an epoch; `None` when it is not there.
    pub fn head(&self, epoch: Epoch) -> Result<Option<InvoiceHead>, Failure> {
        self.read_scale(&self.head_path(epoch), "head")
    }

    /// All heads that are there of the epochs, ascending.
    pub fn heads(&self, epochs: RangeInclusive<Epoch>) -> Result<Vec<InvoiceHead>, Failure> {
        // By what is there, and not by number: the manifest may name any epochs.
        let path = self.path.join("heads");
        let entries = fs::read_dir(&path).map_err(|error| self.failure(&path, error))?;
        let mut found = Vec::new();
        for entry in entries {
            let name = entry
                .map_err(|error| self.failure(&path, error))?
                .file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".json"));
            found.extend(number.and_then(|number| number.parse().ok()).map(Epoch));
        }
        found.retain(|epoch| epochs.contains(epoch));
        found.sort_unstable();
        let heads = found.into_iter().map(|epoch| self.head(epoch));
        heads.filter_map(Result::transpose).collect()
    }

    /// Keeps the head of an epoch.
    pub fn set_head(&self, head: &InvoiceHead) -> Result<(), Failure> {
        self.write_scale(&self.head_path(head.epoch), "head", head)
    }

    /// What is behind a line; `None` when it is not there.
    pub fn evidence(&self, key: &LineKey) -> Result<Option<Evidence>, Failure> {
        self.read_scale(&self.line_path(key), "evidence")
    }

    /// Keeps what is behind a line.
    pub fn set_evidence(&self, key: &LineKey, evidence: &Evidence) -> Result<(), Failure> {
        self.write_scale(&self.line_path(key), "evidence", evidence)
    }

    fn head_path(&self, epoch: Epoch) -> PathBuf {
        self.path.join("heads").join(format!("{epoch}.json"))
    }

    fn line_path(&self, (epoch, service, gateway): &LineKey) -> PathBuf {
        let name = format!("{epoch}-{service}-{}.json", hex::encode(gateway.0));
        self.path.join("lines").join(name)
    }

    fn read_scale<T: Decode>(&self, path: &Path, field: &str) -> Result<Option<T>, Failure> {
        let Some(file) = self.read::<BTreeMap<String, String>>(path)? else {
            return Ok(None);
        };
        let digits = file.get(field).and_then(|text| text.strip_prefix("0x"));
        let bytes = digits.and_then(|digits| hex::decode(digits).ok());
        let bytes =
            bytes.ok_or_else(|| self.failure(path, format!("it has no `{field}` in hex")))?;
        let value = T::decode_all(&mut bytes.as_slice());
        value.map(Some).map_err(|error| self.failure(path, error))
    }

    fn write_scale(&self, path: &Path, field: &str, value: &impl Encode) -> Result<(), Failure> {
        let digits = format!("0x{}", hex::encode(value.encode()));
        self.write(path, &BTreeMap::from([(field, digits)]))
    }

    fn read<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, Failure> {
        let length = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            metadata => metadata.map_err(|error| self.failure(path, error))?.len(),
        };
        if length > MAX_FILE {
            return Err(self.failure(path, format!("it is {length} bytes long")));
        }
        let text = fs::read(path).map_err(|error| self.failure(path, error))?;
        let value = serde_json::from_slice(&text);
        value.map(Some).map_err(|error| self.failure(path, error))
    }

    fn write(&self, path: &Path, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_vec(value).map_err(|error| self.failure(path, error))?;
        let begun = path.with_extension("part");
        fs::write(&begun, text)
            .and_then(|()| fs::rename(&begun, path))
            .map_err(|error| self.failure(path, error))
    }

    fn failure(&self, path: &Path, cause: impl ToString) -> Failure {
        Failure::Folder {
            path: path.display().to_string(),
            cause: cause.to_string(),
        }
    }
}

impl Manifest {
    /// A manifest in the format of this program.
    pub fn new(genesis: String, customer: String, from: String, to: String) -> Self {
        Self {
            format: FORMAT,
            genesis,
            customer,
            from,
            to,
            first_epoch: 0,
            last_epoch: 0,
            block: String::new(),
        }
    }
}
