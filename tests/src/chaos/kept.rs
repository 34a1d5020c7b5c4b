//! What a node has answered for lies in its own store when it starts again, before its peers can give it anything.
//!
//! The store is copied while no process has it open, and the copy is opened beside the next life of the node, by the
//! code by which nodes open theirs: whatever an opening mends, removes or writes, the node still finds it undone.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc,
    thread::{self, sleep},
    time::{Duration, Instant},
};

use tanba_ledger::{ChainId, Height};
use tanba_storage::{DiskStore, Store, StoreError, StoreReader, replay::by_the_rules};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Stopped, failed, load::Acknowledged};

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

/// A copy of a store, to be looked into.
struct Look {
    name: String,
    copy: PathBuf,
    owed: Owed,
}

/// Looks into the stores of one network, one after the other beside what its nodes do.
#[derive(Debug)]
pub(super) struct Looks {
    /// Copies have names that begin so; those in which something is missing stay.
    copies: PathBuf,
    begun: usize,
    under_way: usize,
    /// Those that missed nothing.
    held: u64,
    looks: mpsc::Sender<Look>,
    ended: UnboundedReceiver<Result<(), Stopped>>,
}

impl Looks {
    /// Copies of stores of `chain` are made under names that begin with `copies`.
    pub(super) fn new(chain: ChainId, copies: PathBuf) -> Looks {
        let (looks, to_do) = mpsc::channel::<Look>();
        let (done, ended) = unbounded_channel();
        thread::spawn(move || {
            // All nodes have the same blocks: their signatures are checked once, not at every opening.
            tanba_crypto::memo::remember();
            // Whoever began the looks may be gone.
            to_do.into_iter().all(|look| done.send(look.judge(&chain)).is_ok())
        });
        Looks { copies, begun: 0, under_way: 0, held: 0, looks, ended }
    }

    /// Copies the store of a node that does not run, and begins to look for what it owes. What an earlier
    /// look missed is told here, too.
    pub(super) fn begin(&mut self, name: &str, home: &Path, owed: Owed) -> Result<(), Stopped> {
        self.are_under_way()?;
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
            copy_folder(&home.join(STORE), &copy.join(STORE))?;
        }
        let look = Look { name: name.to_owned(), copy, owed };
        self.looks.send(look).expect("the thread ends after this");
        self.under_way += 1;
        Ok(())
    }

    /// Whether any look that was begun has not ended.
    pub(super) fn are_under_way(&mut self) -> Result<bool, Stopped> {
        while let Ok(ended) = self.ended.try_recv() {
            self.count(ended)?;
        }
        Ok(self.under_way > 0)
    }

    /// Looks that ended and missed nothing.
    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// Waits for the looks that were begun.
    pub(super) async fn end(&mut self) -> Result<(), Stopped> {
        while self.under_way > 0 {
            let ended = self.ended.recv().await.expect("the thread ends after this");
            self.count(ended)?;
        }
        Ok(())
    }

    fn count(&mut self, ended: Result<(), Stopped>) -> Result<(), Stopped> {
        self.under_way -= 1;
        ended?;
        self.held += 1;
        Ok(())
    }
}

impl Look {
    /// Fails if anything is missing; else the copy is removed.
    fn judge(self, chain: &ChainId) -> Result<(), Stopped> {
        let Look { name, copy, owed } = self;
        match missing(&copy, chain, &owed) {
            None => Ok(fs::remove_dir_all(&copy)?),
            Some(missing) => {
                failed(format!("lost at {name}: {missing}\nits store as it was: {}", copy.display()))
            }
        }
    }
}

/// Copies a folder, by this process: starting another takes longer than the kill of a node is to last.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type()?.is_dir() {
            true => copy_folder(&from, &to)?,
            false => drop(fs::copy(&from, &to)?),
        }
    }
    Ok(())
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
    owed.transactions.iter().find_map(|Acknowledged { id, height, .. }| {
        let place = match reader.position(id) {
            Ok(Some(position)) if position.height == *height => return None,
            Ok(Some(position)) => format!("is in block {}", position.height),
            Ok(None) => "is not there".to_owned(),
            Err(error) => format!("cannot be looked up ({error})"),
        };
        Some(format!("in its store transaction {id}, acknowledged for block {height}, {place}"))
    })
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

#[cfg(test)]
mod tests {
    use tanba_ledger::TransactionId;

    use super::*;
    use crate::network::Network;

    #[test]
    fn what_is_not_in_a_store_is_missed() {
        let folder = tempfile::tempdir().expect("a folder");
        let network = Network::found(Path::new("/no/program"), folder.path());
        let (home, chain) = (network.nodes[0].home().root(), network.founded.genesis.chain_id());
        let missed = |height, transactions| {
            missing(home, &chain, &Owed { height: Height(height), transactions }).unwrap_or_default()
        };
        assert_eq!(missed(0, Vec::new()), "");
        assert_eq!(missed(1, Vec::new()), "its store ends at block 0, but it had answered for block 1");
        let id = TransactionId(tanba_crypto::Hash([7; 32]));
        let never = Acknowledged { id, height: Height(0), by: 0 };
        assert!(missed(0, vec![never]).ends_with("acknowledged for block 0, is not there"));
        fs::remove_dir_all(home.join(STORE)).expect("it was there");
        assert!(missed(1, Vec::new()).starts_with("its store does not open"));
    }
}
