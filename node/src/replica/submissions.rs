//! Transactions at the door: checked against the head, admitted to the mempool, gossiped, and answered when they
//! are final or refused.

use std::{collections::BTreeMap, sync::Arc};

use tanba_crypto::Verified;
use tanba_ledger::{
    Timestamp, Transaction, TransactionId,
    rules::{self, CheckError, Context},
    state::StateView,
};
use tanba_storage::{Position, Store, StoreReader};

use super::{
    Replica, Stop,
    action::{Action, Judgement},
    event::{GossipId, SubmissionId},
    mempool::MempoolError,
};
use crate::handle::{Outcome, Refusal};

/// Clients that wait for one transaction.
const WAITERS_MAX: usize = 16;

/// Who waits for which transaction. Bounded by the mempool: only what waits there is waited for.
#[derive(Debug, Default)]
pub(crate) struct Submissions {
    waiting: BTreeMap<TransactionId, Vec<SubmissionId>>,
}

impl<S: Store> Replica<S> {
    /// A client submits.
    pub(super) fn submitted(
        &mut self,
        client: SubmissionId,
        transaction: Verified<Transaction>,
        length_bytes: usize,
    ) -> Result<(), Stop> {
        let id = transaction.id();
        if let Some(position) = self.reader.position(&id)? {
            self.actions.push(Action::Admitted { id: client, result: Ok(id) });
            self.actions.push(Action::Concluded { id: client, outcome: Outcome::Final(position) });
            return Ok(());
        }
        let result = match self.admit(transaction, length_bytes, Spread::ByUs)? {
            Ok(()) | Err(Declined::Waiting) => {
                let waiters = self.submissions.waiting.entry(id).or_default();
                if waiters.len() < WAITERS_MAX {
                    waiters.push(client);
                    Ok(id)
                } else {
                    Err(busy("too many clients wait for this transaction"))
                }
            }
            Err(Declined::Refused(refusal)) => Err(refusal),
        };
        self.actions.push(Action::Admitted { id: client, result });
        Ok(())
    }

    /// A peer offers: by gossip, or straight because the leader did not react.
    pub(super) fn offered(
        &mut self,
        gossip: Option<GossipId>,
        transaction: Verified<Transaction>,
        length_bytes: usize,
    ) -> Result<(), Stop> {
        let id = transaction.id();
        let judgement = if self.reader.position(&id)?.is_some() {
            Judgement::Ignore
        } else {
            // What came by gossip is spread by its judgement.
            let spread = if gossip.is_some() { Spread::ByJudgement } else { Spread::ByUs };
            match self.admit(transaction, length_bytes, spread)? {
                Ok(()) | Err(Declined::Waiting) => Judgement::Accept,
                // The sender may know a newer head than we do: what is refused here is not passed on, and
                // nobody is blamed.
                Err(Declined::Refused(_)) => Judgement::Ignore,
            }
        };
        if let Some(gossip) = gossip {
            self.actions.push(Action::Judge { gossip, judgement });
        }
        Ok(())
    }

    fn admit(
        &mut self,
        transaction: Verified<Transaction>,
        length_bytes: usize,
        spread: Spread,
    ) -> Result<Result<(), Declined>, Stop> {
        if self.mempool.contains(&transaction.id()) {
            return Ok(Err(Declined::Waiting));
        }
        let state = StateView::new(&self.tip.roots, &self.reader);
        match rules::check_transaction(&state, &transaction, &Context::waiting(&self.tip, self.now.wall)) {
            Ok(_) => {}
            Err(CheckError::Refused(refusal)) => return Ok(Err(Declined::Refused(Refusal::from(&refusal)))),
            Err(CheckError::Read(error)) => return Err(error.into()),
        }
        let transaction = Arc::new(transaction);
        match self.mempool.admit(transaction.clone(), length_bytes) {
            Ok(()) => {
                match spread {
                    Spread::ByUs => self.actions.push(Action::Gossip(transaction)),
                    Spread::ByJudgement => {}
                }
                Ok(Ok(()))
            }
            Err(MempoolError::Known) => Ok(Err(Declined::Waiting)),
            Err(error @ (MempoolError::InstitutionFull | MempoolError::Full)) => {
                Ok(Err(Declined::Refused(busy(&error.to_string()))))
            }
        }
    }

    /// Tells everyone who waits that a transaction is final.
    pub(super) fn conclude_final(&mut self, id: &TransactionId, position: Position) {
        self.conclude(id, &Outcome::Final(position));
    }

    /// Drops what waits in vain from the front: a mempool that is not empty must hold a transaction that could be
    /// included now, else there is no work (R0).
    pub(super) fn drop_refused_first(&mut self) -> Result<(), Stop> {
        let before = self.mempool.len();
        while let Some(first) = self.mempool.oldest() {
            self.drop_if_refused(&first)?;
            if self.mempool.contains(&first) {
                break;
            }
        }
        if self.mempool.len() < before {
            self.report_status();
        }
        Ok(())
    }

    /// Drops a waiting transaction if it breaks a rule by itself, on the head.
    pub(super) fn drop_if_refused(&mut self, id: &TransactionId) -> Result<(), Stop> {
        let Some(waiting) = self.mempool.get(id) else { return Ok(()) };
        let transaction = waiting.transaction.clone();
        let state = StateView::new(&self.tip.roots, &self.reader);
        match rules::check_transaction(&state, &transaction, &Context::waiting(&self.tip, self.now.wall)) {
            Ok(_) => Ok(()),
            Err(CheckError::Refused(refusal)) => {
                self.drop_refused(id, &refusal);
                Ok(())
            }
            Err(CheckError::Read(error)) => Err(error.into()),
        }
    }

    /// A transaction that waited breaks a rule now.
    pub(super) fn drop_refused(&mut self, id: &TransactionId, refusal: &rules::Refusal) {
        self.mempool.remove(id);
        self.conclude(id, &Outcome::Refused(Refusal::from(refusal)));
    }

    /// Drops what no later block may hold.
    pub(super) fn drop_expired(&mut self, head_time: Timestamp) {
        for id in self.mempool.expired(head_time.saturating_add_ms(1)) {
            self.mempool.remove(&id);
            self.conclude(
                &id,
                &Outcome::Refused(Refusal {
                    code: "EXPIRED",
                    message: "the transaction expired before a block could hold it".to_owned(),
                    next_step: "prepare and approve it again with a later expiry".to_owned(),
                    retry: false,
                }),
            );
        }
    }

    fn conclude(&mut self, id: &TransactionId, outcome: &Outcome) {
        for client in self.submissions.waiting.remove(id).unwrap_or_default() {
            self.actions.push(Action::Concluded { id: client, outcome: outcome.clone() });
        }
    }
}

/// How an admitted transaction reaches the other nodes.
enum Spread {
    /// We bring it into gossip.
    ByUs,
    /// It came by gossip and goes on when it is judged good.
    ByJudgement,
}

/// Why a transaction was not admitted just now.
enum Declined {
    /// It waits already.
    Waiting,
    /// Refused.
    Refused(Refusal),
}

fn busy(message: &str) -> Refusal {
    Refusal {
        code: "BUSY",
        message: message.to_owned(),
        next_step: "submit the same bytes again in a few seconds".to_owned(),
        retry: true,
    }
}
