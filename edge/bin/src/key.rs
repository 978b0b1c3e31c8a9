//! The device key: an ed25519 seed in a file, 64 hex digits.

use crate::cli::KeyCommand;
use anyhow::Context;
use ed25519_dalek::SigningKey;
use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Runs `selvedge-edge key`.
pub fn run(command: KeyCommand) -> anyhow::Result<()> {
    let key = match command {
        KeyCommand::Generate { file } => generate(&file)?,
        KeyCommand::Show { file } => read(&file)?,
    };
    println!("0x{}", hex::encode(key.verifying_key().to_bytes()));
    Ok(())
}

fn generate(path: &Path) -> anyhow::Result<SigningKey> {
    let key = SigningKey::from_bytes(&rand::random());
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| {
            format!(
                "cannot make {}; a key that is there is never replaced",
                path.display()
            )
        })?;
    writeln!(file, "{}", hex::encode(key.to_bytes()))?;
    file.sync_all()?;
    Ok(key)
}

/// Reads a key that only its owner may read.
pub fn read(path: &Path) -> anyhow::Result<SigningKey> {
    let why = || format!("the device key {}", path.display());
    let mode = fs::metadata(path).with_context(why)?.permissions().mode();
    anyhow::ensure!(
        mode & 0o077 == 0,
        "{} may be read by others: chmod 600 it",
        path.display()
    );
    let text = fs::read_to_string(path).with_context(why)?;
    let mut seed = [0; 32];
    hex::decode_to_slice(text.trim().trim_start_matches("0x"), &mut seed)
        .with_context(|| format!("{} does not hold 64 hex digits", path.display()))?;
    Ok(SigningKey::from_bytes(&seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        let key = generate(&path).unwrap();
        assert_eq!(read(&path).unwrap().to_bytes(), key.to_bytes());
        assert!(generate(&path).is_err());
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        generate(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("chmod 600"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "12").unwrap();
        assert!(read(&path).is_err());
    }
}
