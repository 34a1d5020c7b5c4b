//! Submitting a transaction and learning what became of it.

use tanba_crypto::Canonical;
use tanba_ledger::{Height, Transaction, TransactionId};
use tanba_proto::{
    FieldError,
    convert::{self, AsOf},
    registrar::v1::{self as wire, State},
};
use tanba_storage::Position;
use tokio::time::{sleep, timeout};

use super::{
    Client, ClientError,
    blocks::SILENT_AFTER,
    error::{RECONNECT_AFTER, Refused},
};

/// So often a broken stream is opened again before the error is the caller's.
const RESUMES_MAX: u32 = 20;

/// A node's answer to a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The transaction.
    pub id: TransactionId,
    /// The node's head then.
    pub as_of: AsOf,
    /// Where it stands if it was final already.
    pub position: Option<Position>,
}

/// How a transaction ended, in the node's word; [`Client::receipt`] proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// In a block that is decided and behind the node's barrier.
    Final {
        /// Where.
        position: Position,
        /// The node's head when it said so.
        as_of: AsOf,
    },
    /// It will not become final as it is.
    Refused(Refused),
}

impl Client {
    /// Submits a transaction. Returns once it is admitted or known to be final; a refusal is
    /// [`ClientError::Refused`] with the reason's code.
    pub async fn submit(&self, transaction: &Transaction) -> Result<Submitted, ClientError> {
        let request = wire::SubmitRequest { transaction: transaction.to_canonical() };
        let answer = self.answer(self.registrar().submit(request).await)?;
        let id = convert::transaction_id("transaction_id", &answer.transaction_id)?;
        if id != transaction.id() {
            return Err(FieldError::new("transaction_id", "not the transaction that was submitted").into());
        }
        let position = match answer.state() {
            State::Admitted => None,
            State::Final => Some(position(answer.position)?),
            State::Unspecified | State::Refused => {
                return Err(FieldError::new("state", "neither admitted nor final").into());
            }
        };
        Ok(Submitted { id, as_of: answer.as_of.try_into()?, position })
    }

    /// Waits until a submitted transaction is final or refused, through broken streams and restarts of the
    /// connection, as long as the node comes back.
    pub async fn track(&self, id: TransactionId) -> Result<End, ClientError> {
        let mut resumes = 0;
        loop {
            let error = match self.track_once(id).await {
                Ok(end) => return Ok(end),
                Err(error) => error,
            };
            let Some(pause) = error.resume_after().filter(|_| resumes < RESUMES_MAX) else {
                return Err(error);
            };
            resumes += 1;
            sleep(pause).await;
        }
    }

    /// Submits a transaction and waits for its end. A node that restarted and has forgotten it is given it
    /// again, which is harmless.
    pub async fn submit_and_track(&self, transaction: &Transaction) -> Result<End, ClientError> {
        let mut resubmissions = 0;
        loop {
            let submitted = self.submit(transaction).await?;
            if let Some(position) = submitted.position {
                return Ok(End::Final { position, as_of: submitted.as_of });
            }
            match self.track(submitted.id).await {
                Err(error) if error.is_unknown() && resubmissions < RESUMES_MAX => {
                    resubmissions += 1;
                    sleep(RECONNECT_AFTER).await;
                }
                end => return end,
            }
        }
    }

    async fn track_once(&self, id: TransactionId) -> Result<End, ClientError> {
        let request = wire::TrackRequest { transaction_id: id.0.0.to_vec() };
        let mut steps = self.answer(self.registrar().track(request).await)?;
        let ended = || ClientError::Ended { address: self.address.clone() };
        loop {
            let message = timeout(SILENT_AFTER, steps.message()).await.map_err(|_| ended())?;
            let message = message.map_err(|status| ClientError::from_status(&self.address, &status))?;
            let step = message.ok_or_else(ended)?;
            match step.state() {
                State::Admitted => {}
                State::Final => {
                    let position = position(step.position)?;
                    return Ok(End::Final { position, as_of: step.as_of.try_into()? });
                }
                State::Refused => return Ok(End::Refused(refused(step.refusal)?)),
                State::Unspecified => return Err(FieldError::new("state", "unknown or missing").into()),
            }
        }
    }
}

fn position(position: Option<wire::Position>) -> Result<Position, FieldError> {
    let position = convert::present("position", position)?;
    Ok(Position { height: Height(position.height), index: position.index })
}

fn refused(refusal: Option<wire::Refusal>) -> Result<Refused, FieldError> {
    let refusal = convert::present("refusal", refusal)?;
    Ok(Refused {
        code: if refusal.retry { tonic::Code::Unavailable } else { tonic::Code::FailedPrecondition },
        reason: refusal.reason,
        message: format!("{}; {}", refusal.message, refusal.next_step),
        field: None,
        retry_after: refusal.retry.then_some(crate::api::limits::RETRY_AFTER),
    })
}
