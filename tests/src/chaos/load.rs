//! The load: one registrar a university, who submits to its own node, transaction after transaction, through
//! every death of that node, and remembers what was acknowledged.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tanba_ledger::{Height, TransactionId};
use tanba_node::client::{Client, ClientError, End};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{Stopped, failed};
use crate::network::Network;

/// Diplomas in each transaction.
pub(super) const DIPLOMAS: u64 = 10;

/// From one transaction of a registrar to its next, in milliseconds, unless a scenario wants it otherwise.
const PAUSE_MS: u64 = 25;

/// After an answer that says nothing.
const ASK_AGAIN: Duration = Duration::from_millis(30);

/// A transaction that a node took and that is not final after this is submitted to it once more.
const SUBMIT_AGAIN: Duration = Duration::from_secs(3);

/// What a node told its client: this transaction is final, in this block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acknowledged {
    /// The transaction.
    pub(super) id: TransactionId,
    /// Its block.
    pub(super) height: Height,
    /// The node that told.
    pub(super) by: usize,
}

/// The way to a node's clients: `None` while it does not answer.
pub(super) type Door = watch::Receiver<Option<Client>>;

/// What the registrars share.
#[derive(Debug)]
struct Shared {
    network: Arc<Network>,
    next_number: AtomicU64,
    /// From one transaction of a registrar to its next.
    pause_ms: AtomicU64,
    acknowledged: Mutex<Vec<Acknowledged>>,
    /// The highest block in which something was acknowledged.
    highest: watch::Sender<Height>,
    /// The first answer that no fault explains.
    wrong: Mutex<Option<String>>,
}

/// All registrars.
#[derive(Debug)]
pub(super) struct Load {
    shared: Arc<Shared>,
    registrars: Vec<JoinHandle<()>>,
}

impl Load {
    /// Begins to submit at these doors, those of the validators in order.
    pub(super) fn start(network: Arc<Network>, doors: Vec<Door>) -> Load {
        let shared = Arc::new(Shared {
            network,
            next_number: AtomicU64::new(0),
            pause_ms: AtomicU64::new(PAUSE_MS),
            acknowledged: Mutex::default(),
            highest: watch::Sender::new(Height::GENESIS),
            wrong: Mutex::default(),
        });
        let register = |(university, door)| tokio::spawn(submit_for_ever(shared.clone(), university, door));
        let registrars = doors.into_iter().enumerate().map(register).collect();
        Load { shared, registrars }
    }

    /// Everything acknowledged so far, or the answer that no fault explains.
    pub(super) fn acknowledged(&self) -> Result<Vec<Acknowledged>, Stopped> {
        if let Some(wrong) = lock(&self.shared.wrong).clone() {
            return failed(wrong);
        }
        Ok(lock(&self.shared.acknowledged).clone())
    }

    /// What one node has acknowledged since so many in all were acknowledged, and how many in all are now.
    pub(super) fn acknowledged_by(&self, node: usize, since: usize) -> (Vec<Acknowledged>, usize) {
        let all = lock(&self.shared.acknowledged);
        (all[since..].iter().filter(|one| one.by == node).copied().collect(), all.len())
    }

    /// Waits until something submitted is acknowledged above `height`.
    pub(super) async fn acknowledged_above(&self, height: Height, within: Duration) -> Result<(), Stopped> {
        let mut highest = self.shared.highest.subscribe();
        let above = highest.wait_for(|highest| *highest > height);
        match timeout(within, above).await {
            Ok(_) => self.acknowledged().map(|_| ()),
            Err(_) => failed(format!("nothing was acknowledged above block {height} within {within:?}")),
        }
    }

    /// From now on every registrar submits once in `pause_ms`.
    pub(super) fn slow_down(&self, pause_ms: u64) {
        self.shared.pause_ms.store(pause_ms, Ordering::Relaxed);
    }

    /// The registrar of one university goes home; what it submitted may still become final.
    pub(super) fn stop_one(&self, university: usize) {
        self.registrars[university].abort();
    }

    /// Every registrar goes home.
    pub(super) fn stop(&self) {
        self.registrars.iter().for_each(JoinHandle::abort);
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn submit_for_ever(shared: Arc<Shared>, university: usize, mut door: Door) {
    loop {
        let number = shared.next_number.fetch_add(DIPLOMAS, Ordering::Relaxed);
        let transaction = shared.network.issue(university, number, DIPLOMAS);
        let began = Instant::now();
        let height = loop {
            let Ok(client) = door.wait_for(Option::is_some).await.map(|client| client.clone()) else {
                return;
            };
            let client = client.expect("waited for");
            let ended = tokio::select! {
                ended = timeout(SUBMIT_AGAIN, client.submit_and_track(&transaction)) => ended,
                // The node died: the same transaction is submitted to its next life.
                changed = door.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
            };
            match ended {
                Ok(Ok(End::Final { position, .. })) => break position.height,
                Ok(Ok(End::Refused(refused))) if refused.retry_after.is_none() => {
                    return complain(&shared, format!("refused what was in order: {refused}"));
                }
                Ok(Err(error)) if !is_explained(&error) => {
                    return complain(&shared, format!("answered wrongly: {error}"));
                }
                Ok(Ok(End::Refused(_)) | Err(_)) | Err(_) => sleep(ASK_AGAIN).await,
            }
        };
        lock(&shared.acknowledged).push(Acknowledged { id: transaction.id(), height, by: university });
        shared.highest.send_if_modified(|highest| {
            let is_higher = height > *highest;
            *highest = height.max(*highest);
            is_higher
        });
        let pause = Duration::from_millis(shared.pause_ms.load(Ordering::Relaxed));
        sleep(pause.saturating_sub(began.elapsed())).await;
    }
}

fn complain(shared: &Shared, what: String) {
    lock(&shared.wrong).get_or_insert(what);
}

/// Whether a node that dies, starts, or has a failing disk may answer so.
fn is_explained(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } | ClientError::Ended { .. } | ClientError::Foreign { .. } => true,
        ClientError::Refused(refused) => {
            refused.retry_after.is_some()
                || ["TRANSACTION_UNKNOWN", "STORE_FAILED", "STOPPING"].contains(&refused.reason.as_str())
        }
        ClientError::Address(_)
        | ClientError::Malformed(_)
        | ClientError::Proof { .. }
        | ClientError::WrongNetwork { .. }
        | ClientError::OutOfOrder { .. } => false,
    }
}
