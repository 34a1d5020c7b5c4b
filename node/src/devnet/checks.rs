//! Checking as an employer does: from genesis alone, asking for buckets so that no node learns which diploma is
//! meant, and believing nothing that is not proven.

use std::{collections::BTreeMap, time::Duration};

use tanba_credential::{HolderFile, OpenError, holder};
use tanba_crypto::Canonical;
use tanba_ledger::{
    Fingerprint, Height,
    proof::{At, Checkpoint, Question, Status, Verdict, verify},
};
use tanba_proto::convert::prefix_of;
use tokio::time::Instant;

use super::{DevnetError, Founded, class::Issued};
use crate::{
    client::{Client, ClientError, Trust, check::Bucket},
    clock,
};

/// An answer may be so old, in milliseconds.
const MAX_AGE_MS: u64 = 60_000;

/// What a verifier of the devnet trusts: genesis, and its own clock.
pub(super) fn trust(founded: &Founded) -> Trust {
    let checkpoint = Checkpoint::of(&founded.genesis.block().header);
    Trust { checkpoint, now: clock::now(), max_age_ms: MAX_AGE_MS }
}

/// What a file asks about.
pub(super) fn question(founded: &Founded, issued: &Issued, at: At) -> Question {
    let issuer = founded.universities()[issued.university].bin;
    Question { issuer, fingerprint: Fingerprint(issued.file.fingerprint), at }
}

/// What checking a class showed.
#[derive(Clone, Debug, Default)]
pub(super) struct Checked {
    pub(super) valid: usize,
    pub(super) buckets: usize,
    pub(super) bucket_bytes_max: usize,
    pub(super) bucket_check_max: Duration,
    pub(super) status_bytes_max: usize,
    pub(super) status_check_max: Duration,
}

/// Opens every file and checks each diploma against the bucket it lies in.
pub(super) async fn check_all(
    founded: &Founded,
    client: &Client,
    class: &[Issued],
    told: impl Fn(usize),
) -> Result<Checked, DevnetError> {
    let trust = trust(founded);
    let bits = client.node_info().await?.bucket_bits;
    let mut buckets: BTreeMap<Vec<u8>, Bucket> = BTreeMap::new();
    let mut checked = Checked::default();
    for (number, issued) in class.iter().enumerate() {
        let opened = holder::open(&issued.file).map_err(|error| broken(&error.to_string()))?;
        let question = question(founded, issued, At::Head);
        let prefix = prefix_of(&question.record_key().key, bits);
        if !buckets.contains_key(&prefix) {
            let bucket = client.bucket(&question, bits, &trust).await?;
            let began = Instant::now();
            verify(bucket.bundle(), &question, &trust.checkpoint, trust.now, trust.max_age_ms)
                .map_err(|failure| broken(&failure.to_string()))?;
            checked.bucket_check_max = checked.bucket_check_max.max(began.elapsed());
            checked.bucket_bytes_max = checked.bucket_bytes_max.max(bucket.bundle().to_canonical().len());
            buckets.insert(prefix.clone(), bucket);
        }
        let status = buckets[&prefix].status(&question)?;
        match Verdict::of(&Ok(status), &opened.gost) {
            Verdict::Valid(_) => checked.valid += 1,
            other => return Err(broken(&format!("diploma {number} is {}", other.code()))),
        }
        told(number + 1);
    }
    checked.buckets = buckets.len();
    measure_single_proofs(founded, client, class, &mut checked).await?;
    Ok(checked)
}

/// Size and time of a proof for one diploma alone.
async fn measure_single_proofs(
    founded: &Founded,
    client: &Client,
    class: &[Issued],
    checked: &mut Checked,
) -> Result<(), DevnetError> {
    let trust = trust(founded);
    for issued in class.iter().step_by(100) {
        let question = question(founded, issued, At::Head);
        let answer = client.status(&question, &trust).await?;
        let began = Instant::now();
        verify(&answer.bundle, &question, &trust.checkpoint, trust.now, trust.max_age_ms)
            .map_err(|failure| broken(&failure.to_string()))?;
        checked.status_check_max = checked.status_check_max.max(began.elapsed());
        checked.status_bytes_max = checked.status_bytes_max.max(answer.bundle.to_canonical().len());
    }
    Ok(())
}

/// The verdict on a file, at the head or at an earlier height.
pub(super) async fn verdict(
    founded: &Founded,
    client: &Client,
    issued: &Issued,
    at: At,
) -> Result<(Verdict, Status), DevnetError> {
    let trust = trust(founded);
    let question = question(founded, issued, at);
    let status = match at {
        At::Head => client.status_by_bucket(&question, &trust).await?.status,
        At::Height(_) | At::Time(_) => client.status(&question, &trust).await?.status,
    };
    Ok((Verdict::of(&Ok(status.clone()), &issued.file.gost), status))
}

/// A diploma that was made like any other, opens like any other, and was never issued: proven absent.
pub(super) async fn is_absent(
    founded: &Founded,
    client: &Client,
    forged: &Issued,
) -> Result<(), DevnetError> {
    holder::open(&forged.file).map_err(|error| broken(&error.to_string()))?;
    match verdict(founded, client, forged, At::Head).await? {
        (Verdict::NotRecorded, _) => Ok(()),
        (other, _) => Err(broken(&format!("a forged diploma is {}", other.code()))),
    }
}

/// A genuine file in which one byte of one field was changed.
pub(super) fn changed_does_not_match(genuine: &Issued) -> Result<(), DevnetError> {
    let mut changed = genuine.file.clone();
    let field = changed.disclosures.first_mut().ok_or_else(|| broken("a file without fields"))?;
    let other = if field.ends_with('A') { "B" } else { "A" };
    field.replace_range(field.len() - 1.., other);
    let read = HolderFile::from_json(&changed.to_json()).and_then(|file| holder::open(&file));
    match read {
        Err(OpenError::Altered(_)) => Ok(()),
        Err(error) => Err(broken(&format!("a changed file fails for another reason: {error}"))),
        Ok(_) => Err(broken("a changed file opens")),
    }
}

/// Whether a refusal is the one expected.
pub(super) fn refused_with(result: Result<(), ClientError>, reason: &str) -> Result<(), DevnetError> {
    match result {
        Err(ClientError::Refused(refused)) if refused.reason == reason => Ok(()),
        Err(error) => Err(broken(&format!("refused for another reason than {reason}: {error}"))),
        Ok(()) => Err(broken(&format!("accepted, where {reason} was expected"))),
    }
}

/// The block hash that a node holds at a height.
pub(super) async fn hash_at(client: &Client, height: Height) -> Result<String, DevnetError> {
    Ok(client.header(height).await?.0.hash().to_string())
}

fn broken(what: &str) -> DevnetError {
    DevnetError::broken("checking", what)
}
