//! What a node has answered for lies in its own store when it starts again, before its peers can give it anything.
//!
//! The store is copied while no process has it open, and the copy is opened beside the next life of the node, by the
//! code by which nodes open theirs: whatever an opening mends, removes or writes, the node still finds it undone.

use std::{
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use tanba_ledger::{ChainId, Height};
use tanba_storage::{DiskStore, Store, StoreError, StoreReader, replay::by_the_rules};
use tokio::task::JoinSet;

use super::{Stopped, failed, load::Acknowledged, pause::copy_home};

/// The store's folder in a home.
const STORE: &str = "store";

/// A copy opens within this, or never.
const OPENS_WITHIN: Duration = Duration::from_secs(2);

/// From one try to the next.
const TRY_EVERY: Duration = Duration::from_millis(5);

/// What a node has answered for.
#[derive(Clone, Debug, Default)]
pub(super) struct Owed {
    /// The highest block.
    pub(super) height: Height,
    /// Transactions, each with its block.
    pub(super) transactions: Vec<Acknowledged>,
}

/// Looks into the stores of one network, each at a copy.
#[derive(Debug)]
pub(super) struct Looks {
    chain: ChainId,
    /// Copies are made in this folder, under names that begin so; those in which something is missing stay.
    copies: PathBuf,
    begun: usize,
    under_way: JoinSet<Result<(), Stopped>>,
}

impl Looks {
    /// Copies have names that begin with `copies`.
    pub(super) fn new(chain: ChainId, copies: PathBuf) -> Looks {
        Looks { chain, copies, begun: 0, under_way: JoinSet::new() }
    }

    /// Copies the store of a node that does not run, and begins to look for what it owes. What earlier looks missed
    /// is told here, or by [`Looks::end`].
    pub(super) fn begin(&mut self, name: &str, home: &Path, owed: Owed) -> Result<(), Stopped> {
        while let Some(ended) = self.under_way.try_join_next() {
            ended??;
        }
        if owed.height == Height::GENESIS {
            return Ok(());
        }
        self.begun += 1;
        let mut copy = self.copies.clone().into_os_string();
        let own = home.file_name().unwrap_or_default().display();
        copy.push(format!("-{own}-{}", self.begun));
        let copy = PathBuf::from(copy);
        fs::create_dir(&copy)?;
        if home.join(STORE).exists() {
            copy_home(&home.join(STORE), &copy.join(STORE))?;
        }
        let (name, chain) = (name.to_owned(), self.chain);
        self.under_way.spawn_blocking(move || {
            if let Some(missing) = missing(&copy, &chain, &owed) {
                return failed(format!(
                    "lost at {name}: {missing}; its store as it was is in {}",
                    copy.display()
                ));
            }
            Ok(fs::remove_dir_all(&copy)?)
        });
        Ok(())
    }

    /// Waits for the looks that were begun.
    pub(super) async fn end(&mut self) -> Result<(), Stopped> {
        while let Some(ended) = self.under_way.join_next().await {
            ended??;
        }
        Ok(())
    }
}

/// Opens the store of a home. A process that is just being started holds copies of all locks of this one, until it runs
/// its own program: then the system refuses, and is asked again.
fn opened(home: &Path, chain: &ChainId) -> Result<DiskStore, StoreError> {
    let deadline = Instant::now() + OPENS_WITHIN;
    loop {
        match DiskStore::open(home, chain, &by_the_rules) {
            Err(StoreError::Io { .. } | StoreError::InUse(_)) if Instant::now() < deadline => {
                sleep(TRY_EVERY)
            }
            done => return done,
        }
    }
}

/// What of `owed` is not in the store of a home, if anything.
fn missing(home: &Path, chain: &ChainId, owed: &Owed) -> Option<String> {
    let reader = match opened(home, chain) {
        Ok(store) => store.reader(),
        Err(error) => return Some(format!("its store does not open ({error})")),
    };
    let head = reader.tip().header.height;
    if head < owed.height {
        return Some(format!(
            "its store ends at block {head}, but it had answered for block {}",
            owed.height
        ));
    }
    owed.transactions.iter().find_map(|one| {
        let Acknowledged { id, height, .. } = one;
        match reader.position(id) {
            Ok(Some(position)) if position.height == *height => None,
            Ok(Some(position)) => Some(format!(
                "transaction {id} was acknowledged for block {height}, is in {}",
                position.height
            )),
            Ok(None) => {
                Some(format!("transaction {id}, acknowledged for block {height}, is not in its store"))
            }
            Err(error) => Some(format!("transaction {id} cannot be looked up in its store ({error})")),
        }
    })
}
