//! `tanba.verifier.v1`: proofs of the status of diplomas. What is asked for is neither logged nor counted.

use std::sync::Arc;

use tanba_ledger::proof::Question;
use tanba_proto::{
    FieldError,
    convert::{self, AsOf},
    verifier::v1::{
        BatchGetStatusRequest, BatchGetStatusResponse, GetBucketRequest, GetBucketResponse, GetStatusRequest,
        GetStatusResponse, Problem, StatusItem, StatusQuery, StreamStatusRequest, StreamStatusResponse,
        status_item, verifier_service_server::VerifierService,
    },
};
use tanba_storage::StoreReader;
use tokio::time::timeout;
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::{
    core::Core,
    limits::{ANSWER_BYTES_MAX, BATCH_MAX, STREAM_STALLED_AFTER},
    prove,
    status::ApiError,
    stream::{self, Answers, Outbox},
};

/// The service.
pub(super) struct Verifier<R> {
    pub(super) core: Arc<Core<R>>,
}

#[async_trait]
impl<R: StoreReader> VerifierService for Verifier<R> {
    async fn get_bucket(
        &self,
        request: Request<GetBucketRequest>,
    ) -> Result<Response<GetBucketResponse>, Status> {
        let request = request.into_inner();
        let bucket = convert::prefix(&request.prefix, request.bits).map_err(ApiError::from)?;
        let work = move |core: &Core<R>| prove::bucket_of(core, bucket, request.checkpoint_height);
        Ok(Response::new(self.core.heavy(work).await?))
    }

    async fn get_status(
        &self,
        request: Request<GetStatusRequest>,
    ) -> Result<Response<GetStatusResponse>, Status> {
        let request = request.into_inner();
        let answer = self.core.heavy(move |core| {
            let question = question("query", request.query.as_ref())?;
            let (as_of, proof) = prove::status(core, &question, request.checkpoint_height)?;
            Ok(GetStatusResponse { as_of: Some(as_of.into()), proof })
        });
        Ok(Response::new(answer.await?))
    }

    async fn batch_get_status(
        &self,
        request: Request<BatchGetStatusRequest>,
    ) -> Result<Response<BatchGetStatusResponse>, Status> {
        let request = request.into_inner();
        if request.queries.is_empty() || request.queries.len() > BATCH_MAX {
            let why = format!("1 to {BATCH_MAX} queries are expected");
            return Err(ApiError::from(FieldError::new("queries", why)).into());
        }
        let answer = self.core.heavy(move |core| Ok(batch(core, &request)));
        Ok(Response::new(answer.await?))
    }

    type StreamStatusStream = Answers<StreamStatusResponse>;

    async fn stream_status(
        &self,
        request: Request<Streaming<StreamStatusRequest>>,
    ) -> Result<Response<Self::StreamStatusStream>, Status> {
        let (core, questions) = (Arc::clone(&self.core), request.into_inner());
        Ok(Response::new(stream::start(self.core.stop.clone(), |outbox| answer_all(core, questions, outbox))))
    }
}

fn question(path: &str, query: Option<&StatusQuery>) -> Result<Question, ApiError> {
    let query = convert::present(path, query)?;
    Ok(Question::try_from(query).map_err(|error| error.within(path))?)
}

/// One item a query, each for itself, as far as one message carries.
fn batch<R: StoreReader>(core: &Core<R>, request: &BatchGetStatusRequest) -> BatchGetStatusResponse {
    // Room for the envelope of every item.
    let mut room = ANSWER_BYTES_MAX - BATCH_MAX * 128;
    let mut oldest: Option<AsOf> = None;
    let mut item = |(place, query): (usize, &StatusQuery)| {
        let proven = question(&format!("queries[{place}]"), Some(query))
            .and_then(|question| prove::status(core, &question, request.checkpoint_height))
            .and_then(|(as_of, proof)| match room.checked_sub(proof.len()) {
                Some(left) => {
                    room = left;
                    Ok((as_of, proof))
                }
                None => Err(ApiError::Overloaded("the answer is full")),
            });
        if let Ok((as_of, _)) = &proven {
            let older = |held: AsOf| if held.height < as_of.height { held } else { *as_of };
            oldest = Some(oldest.map_or(*as_of, older));
        }
        status_item(proven.map(|(_, proof)| proof))
    };
    let items = request.queries.iter().enumerate().map(&mut item).collect();
    let as_of = oldest.unwrap_or_else(|| core.as_of());
    BatchGetStatusResponse { as_of: Some(as_of.into()), items }
}

/// Answers one question after the other until the client has no more.
async fn answer_all<R: StoreReader>(
    core: Arc<Core<R>>,
    mut questions: Streaming<StreamStatusRequest>,
    outbox: Outbox<StreamStatusResponse>,
) -> Result<(), ApiError> {
    loop {
        let next = timeout(STREAM_STALLED_AFTER, questions.message()).await;
        let silent = ApiError::StreamEnded("nothing was asked on this stream for a minute");
        let request = match next.map_err(|_| silent)? {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            Err(_) => return Err(FieldError::new("request", "a message of this stream is malformed").into()),
        };
        let correlation_id = request.correlation_id;
        let work = move |core: &Core<R>| {
            let proven = question("query", request.query.as_ref())
                .and_then(|question| prove::status(core, &question, request.checkpoint_height));
            let as_of = proven.as_ref().map_or_else(|_| core.as_of(), |(as_of, _)| *as_of);
            Ok((as_of, status_item(proven.map(|(_, proof)| proof))))
        };
        let (as_of, item) = core.heavy(work).await?;
        let answer = StreamStatusResponse { as_of: Some(as_of.into()), correlation_id, item: Some(item) };
        outbox.send(answer).await?;
    }
}

fn status_item(proof: Result<Vec<u8>, ApiError>) -> StatusItem {
    let result = match proof {
        Ok(proof) => status_item::Result::Proof(proof),
        Err(error) => status_item::Result::Problem(Problem {
            code: error.code() as i32,
            reason: error.reason().to_owned(),
            message: error.to_string(),
        }),
    };
    StatusItem { result: Some(result) }
}
