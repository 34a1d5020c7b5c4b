//! `tanba.registrar.v1`: what was signed comes in; where it stands, and its receipt, go out.

use std::sync::Arc;

use tanba_crypto::Verified;
use tanba_ledger::{Transaction, TransactionId, rules};
use tanba_proto::{
    convert,
    registrar::v1::{
        self as wire, GetReceiptRequest, GetReceiptResponse, State, SubmitRequest, SubmitResponse,
        TrackRequest, TrackResponse, registrar_service_server::RegistrarService,
    },
};
use tanba_storage::{Position, StoreReader};
use tokio::{
    sync::oneshot,
    time::{interval, timeout},
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    core::Core,
    limits::{ADMIT_WITHIN, HEARTBEAT_EVERY, SUBMIT_WITHIN},
    prove,
    status::ApiError,
    stream::{self, Answers, Outbox},
    tracker::{Followed, Step, Tracker},
};
use crate::handle::{Refusal, Submission};

/// The service.
pub(super) struct Registrar<R> {
    pub(super) core: Arc<Core<R>>,
    pub(super) tracker: Tracker,
}

#[async_trait]
impl<R: StoreReader> RegistrarService for Registrar<R> {
    async fn submit(&self, request: Request<SubmitRequest>) -> Result<Response<SubmitResponse>, Status> {
        let outcome = self.admit(request.into_inner()).await;
        if let Err(error) = &outcome {
            self.core.backend.metrics.submission_refused(error.reason());
        }
        let (id, position) = outcome?;
        let state = if position.is_some() { State::Final } else { State::Admitted };
        Ok(Response::new(SubmitResponse {
            as_of: Some(self.core.as_of().into()),
            transaction_id: id.0.0.to_vec(),
            state: state.into(),
            position: position.map(on_wire),
        }))
    }

    type TrackStream = Answers<TrackResponse>;

    async fn track(&self, request: Request<TrackRequest>) -> Result<Response<Self::TrackStream>, Status> {
        let id = convert::transaction_id("transaction_id", &request.get_ref().transaction_id)
            .map_err(ApiError::from)?;
        let followed = match self.tracker.get(&id) {
            Some(followed) => Some(followed),
            None => match self.position(id)? {
                Some(_) => None,
                None => return Err(ApiError::TransactionUnknown.into()),
            },
        };
        let core = Arc::clone(&self.core);
        let work = move |outbox| track(core, id, followed, outbox);
        Ok(Response::new(stream::start(self.core.stop.clone(), work)))
    }

    async fn get_receipt(
        &self,
        request: Request<GetReceiptRequest>,
    ) -> Result<Response<GetReceiptResponse>, Status> {
        let request = request.into_inner();
        let id =
            convert::transaction_id("transaction_id", &request.transaction_id).map_err(ApiError::from)?;
        let answer = self.core.heavy(move |core| prove::receipt(core, id, request.checkpoint_height)).await?;
        Ok(Response::new(answer))
    }
}

impl<R: StoreReader> Registrar<R> {
    /// Lets a transaction in, or says where it stands already.
    async fn admit(&self, request: SubmitRequest) -> Result<(TransactionId, Option<Position>), ApiError> {
        let transaction = Transaction::try_from(&request)?;
        self.check_chain(&transaction)?;
        let id = transaction.id();
        if let Some(position) = self.position(id)? {
            return Ok((id, Some(position)));
        }
        let expiry = transaction.body.expiry;
        let transaction = self.core.heavy(move |core| check(core, transaction)).await?;

        let (admitted, admission) = oneshot::channel();
        let (decided, outcome) = oneshot::channel();
        let submission = Submission { transaction, admitted, outcome: Some(decided) };
        match timeout(SUBMIT_WITHIN, self.core.backend.handle.submissions.send(submission)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(ApiError::Stopping),
            Err(_) => return Err(ApiError::Overloaded("the node has too many submissions under way")),
        }
        let slow = ApiError::Overloaded("the node is too busy to say whether it admits the transaction");
        let admission = timeout(ADMIT_WITHIN, admission).await.map_err(|_| slow)?;
        let id = admission.map_err(|_| ApiError::Stopping)?.map_err(ApiError::Refused)?;
        self.tracker.follow(id, expiry, outcome);
        Ok((id, self.position(id)?))
    }

    /// The approvals of a transaction for another network may well hold: asking for new ones would not help.
    fn check_chain(&self, transaction: &Transaction) -> Result<(), ApiError> {
        let (found, expected) = (transaction.body.chain, self.core.backend.chain);
        if found == expected {
            return Ok(());
        }
        Err(ApiError::Refused(Refusal::from(&rules::Refusal::WrongChain { found, expected })))
    }

    fn position(&self, id: TransactionId) -> Result<Option<Position>, ApiError> {
        Ok(self.core.backend.reader.position(&id)?)
    }
}

/// The approvals hold, for this network.
fn check<R: StoreReader>(
    core: &Core<R>,
    transaction: Transaction,
) -> Result<Verified<Transaction>, ApiError> {
    Verified::check(transaction, &core.backend.chain).map_err(ApiError::Approvals)
}

/// Tells the steps of one transaction until the last.
async fn track<R: StoreReader>(
    core: Arc<Core<R>>,
    id: TransactionId,
    mut followed: Option<Followed>,
    outbox: Outbox<TrackResponse>,
) -> Result<(), ApiError> {
    let mut heads = core.backend.handle.status.clone();
    let mut beat = interval(HEARTBEAT_EVERY);
    // The first tick is due at once: the stream begins with the present step.
    loop {
        tokio::select! {
            _ = beat.tick() => {}
            () = step_changed(&mut followed) => {}
            changed = heads.changed() => {
                changed.map_err(|_| ApiError::Stopping)?;
                if present(&core, id, followed.as_ref())? == Step::Admitted {
                    continue;
                }
            }
        }
        let step = present(&core, id, followed.as_ref())?;
        let last = step != Step::Admitted;
        outbox.send(response(&core, step)).await?;
        if last {
            return Ok(());
        }
    }
}

/// Returns when the followed step changed; never, once nobody will change it.
async fn step_changed(followed: &mut Option<Followed>) {
    if let Some(followed) = followed
        && followed.step.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// The step of a transaction as of now: what the replica said, else what the store and the expiry tell.
fn present<R: StoreReader>(
    core: &Core<R>,
    id: TransactionId,
    followed: Option<&Followed>,
) -> Result<Step, ApiError> {
    if let Some(followed) = followed {
        let step = followed.step.borrow().clone();
        let open = followed.step.has_changed().is_ok();
        if open || step != Step::Admitted {
            return Ok(step);
        }
    }
    // The head first: if it is past the expiry, the position is not going to appear any more.
    let time = core.tip().header.time;
    if let Some(position) = core.backend.reader.position(&id)? {
        return Ok(Step::Final(position));
    }
    Ok(match followed {
        Some(followed) if time > followed.expiry => Step::Refused(expired()),
        _ => Step::Admitted,
    })
}

fn expired() -> Refusal {
    Refusal {
        code: "EXPIRED",
        message: "the transaction expired before it was put into a block".into(),
        next_step: "make it anew with a later expiry and have it approved again".into(),
        retry: false,
    }
}

fn response<R: StoreReader>(core: &Core<R>, step: Step) -> TrackResponse {
    let as_of = Some(core.as_of().into());
    match step {
        Step::Admitted => {
            TrackResponse { as_of, state: State::Admitted.into(), position: None, refusal: None }
        }
        Step::Final(position) => TrackResponse {
            as_of,
            state: State::Final.into(),
            position: Some(on_wire(position)),
            refusal: None,
        },
        Step::Refused(refusal) => TrackResponse {
            as_of,
            state: State::Refused.into(),
            position: None,
            refusal: Some(wire::Refusal {
                reason: refusal.code.to_owned(),
                message: refusal.message,
                next_step: refusal.next_step,
                retry: refusal.retry,
            }),
        },
    }
}

/// A position as the contract writes it.
pub(super) fn on_wire(position: Position) -> wire::Position {
    wire::Position { height: position.height.0, index: position.index }
}
