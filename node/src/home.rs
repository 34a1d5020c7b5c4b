//! The home of a node: one directory, mode 0700, that holds all it owns.
//!
//! ```text
//! $TANBA_HOME (default ~/.tanba)
//!   config.toml    local settings; nothing here changes what the network agrees on
//!   genesis.bin    the first facts of the network; written last by `tanba init`: a home with it is complete
//!   keys/          one file per key, mode 0600
//!   journal/       what this validator has signed; never copied, never restored from a backup
//!   store/         blocks and state
//!   run/           sockets and whatever lives as long as the process
//! ```
//!
//! `tanba init` alone makes journal and store. A node that finds no journal does not make one: it may have lost
//! it, and would vote twice.

pub mod files;

use std::path::{Path, PathBuf};

use tanba_genesis::{GENESIS_BYTES_MAX, GenesisDocument, Mistakes};

use files::FileError;

/// The environment variable that names the home.
pub const HOME_VARIABLE: &str = "TANBA_HOME";

/// Why a home cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Neither flag, nor variable, nor the user's own directory says where.
    #[error("there is no home directory to put the node's home into")]
    Nowhere,
    /// Nothing there.
    #[error("{0} does not exist")]
    Missing(PathBuf),
    /// There is no genesis, so the home was never completed.
    #[error("{0} holds no genesis.bin: it was not initialised")]
    NotInitialised(PathBuf),
    /// The home is a home already.
    #[error("{0} exists already")]
    Exists(PathBuf),
    /// A file or directory misbehaved.
    #[error(transparent)]
    File(#[from] FileError),
    /// The home's genesis is no genesis.
    #[error(transparent)]
    Genesis(#[from] Mistakes),
}

/// A home, by its path. Whether it exists is asked by each method.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// The home at `root`.
    pub fn at(root: impl Into<PathBuf>) -> Home {
        Home { root: root.into() }
    }

    /// The home that the command line (`given`, which already includes [`HOME_VARIABLE`]) or else the user's
    /// directory names: `~/.tanba`.
    pub fn resolve(given: Option<&Path>) -> Result<Home, HomeError> {
        match (given, std::env::home_dir()) {
            (Some(given), _) => Ok(Home::at(given)),
            (None, Some(user)) if !user.as_os_str().is_empty() => Ok(Home::at(user.join(".tanba"))),
            (None, _) => Err(HomeError::Nowhere),
        }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Local settings.
    pub fn config_file(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// The first facts of the network, as canonical bytes.
    pub fn genesis_file(&self) -> PathBuf {
        self.root.join("genesis.bin")
    }

    /// The keystore.
    pub fn keys_dir(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The promise journal.
    pub fn journal_dir(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// Blocks and state.
    pub fn store_dir(&self) -> PathBuf {
        self.root.join("store")
    }

    /// Sockets.
    pub fn run_dir(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Where the running node is reached, as JSON.
    pub fn endpoints_file(&self) -> PathBuf {
        self.run_dir().join("endpoints.json")
    }

    /// Makes the home, `keys/` and `run/`, mode 0700, where they do not exist; refuses those that others can
    /// look into.
    pub fn create(&self) -> Result<(), HomeError> {
        for dir in [self.root.clone(), self.keys_dir(), self.run_dir()] {
            files::create_private_dir(&dir)?;
        }
        Ok(())
    }

    /// Refuses a home that is missing or that others can look into.
    pub fn check(&self) -> Result<(), HomeError> {
        if !self.root.exists() {
            return Err(HomeError::Missing(self.root.clone()));
        }
        Ok(files::check_private_dir(&self.root)?)
    }

    /// The genesis of an initialised home, checked.
    pub fn genesis(&self) -> Result<GenesisDocument, HomeError> {
        self.check()?;
        let path = self.genesis_file();
        if !path.exists() {
            return Err(HomeError::NotInitialised(self.root.clone()));
        }
        let bytes = files::read_bounded(&path, GENESIS_BYTES_MAX)?;
        Ok(GenesisDocument::from_bytes(&path.display().to_string(), &bytes)?)
    }

    /// Refuses a home that is initialised, or that holds what an interrupted or an earlier initialisation made.
    pub fn check_uninitialised(&self) -> Result<(), HomeError> {
        let taken = [self.genesis_file(), self.journal_dir(), self.store_dir()];
        match taken.into_iter().find(|path| path.exists()) {
            Some(path) => Err(HomeError::Exists(path)),
            None => Ok(()),
        }
    }

    /// Writes `genesis.bin`: the last step of an initialisation.
    pub fn put_genesis(&self, genesis: &GenesisDocument) -> Result<(), HomeError> {
        Ok(files::create_file(&self.genesis_file(), &genesis.to_bytes(), files::MODE_PRIVATE)?)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_new_home_is_closed_to_others() {
        let dir = tempfile::tempdir().expect("a directory");
        let home = Home::at(dir.path().join("a/home"));
        home.create().expect("created");
        home.check().expect("private");
        for dir in [home.root(), &home.keys_dir(), &home.run_dir()] {
            assert_eq!(fs::metadata(dir).expect("there").permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_home_that_others_can_look_into_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let home = Home::at(dir.path().join("home"));
        home.create().expect("created");
        fs::set_permissions(home.root(), fs::Permissions::from_mode(0o750)).expect("chmod");
        let refused = home.check().expect_err("refused").to_string();
        assert!(refused.contains("mode 0750") && refused.contains("0700"), "{refused}");
        assert!(home.create().is_err());
    }

    #[test]
    fn a_home_without_genesis_is_not_initialised_and_one_with_a_journal_is_not_new() {
        let dir = tempfile::tempdir().expect("a directory");
        let home = Home::at(dir.path().join("home"));
        assert!(matches!(home.genesis(), Err(HomeError::Missing(_))));
        home.create().expect("created");
        assert!(matches!(home.genesis(), Err(HomeError::NotInitialised(_))));
        home.check_uninitialised().expect("new");
        fs::create_dir(home.journal_dir()).expect("a journal");
        assert!(matches!(home.check_uninitialised(), Err(HomeError::Exists(_))));
    }
}
