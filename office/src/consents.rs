//! What a holder's client fetches of a draft, and the consent it brings back.
//!
//! The text to be signed ([`crate::statement`]) is made again when the consent comes: what was signed must be that text,
//! byte for byte. One consent serves one diploma. The holder makes the control key and hands over its public half alone.

use tanba_credential::consent::{self, Expected, Statement};
use tanba_crypto::{Hash, PublicKey};
use tanba_eds::{Context, SignedData};
use tanba_storage::tree::Tree;
use tanba_vault::{Part, Random, RecordId, Time, epoch_keys::EpochKeys, folder::Folder};
use zeroize::Zeroizing;

use crate::{
    error::OfficeError,
    office::{Office, Who},
    parts::{self, ConsentPart, EVIDENCE_BYTES_MAX, Shown},
    state::{Refused, State},
    statement::{Choice, is_subject},
    table::{self, RecordRow, get, put},
};

/// What a signature is checked against, and what of it is kept with the signature.
#[derive(Clone, Copy)]
pub struct Checks<'a> {
    /// Trust, revocation evidence, and the moment, which is when the signature is taken in.
    pub context: Context<'a>,
    /// Answers about single certificates, whole; at most [`EVIDENCE_BYTES_MAX`] together.
    pub answers: &'a [Vec<u8>],
    /// SHA-256 of the revocation lists that were asked; the caller keeps each list once.
    pub lists: &'a [Hash],
}

impl std::fmt::Debug for Checks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checks").field("at", &self.context.at).finish_non_exhaustive()
    }
}

/// A consent as it is brought.
#[derive(Clone, Copy)]
pub struct Consent<'a> {
    /// To the diploma of this record.
    pub record: RecordId,
    /// By whom.
    pub who: Who<'a>,
    /// The signed text: a CMS with it inside.
    pub cms: &'a [u8],
    /// The public half of the control key that the holder made for this diploma.
    pub control: PublicKey,
}

impl std::fmt::Debug for Consent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consent").field("record", &self.record).finish_non_exhaustive()
    }
}

/// A draft, as its holder gets it to read and to compute F again.
#[derive(Clone, PartialEq, Eq)]
pub struct Offer {
    /// The signed document.
    pub document: String,
    /// Every field, as issued, in order of [`Field`](tanba_credential::Field).
    pub disclosures: Vec<String>,
    /// The opening of F.
    pub r: [u8; 32],
    /// What ties the consent to F.
    pub r_f: [u8; 32],
    /// F.
    pub fingerprint: Hash,
    /// The text to sign: UTF-8.
    pub text: String,
}

impl std::fmt::Debug for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Offer")
    }
}

impl<T: Tree, F: Folder, K: EpochKeys> Office<T, F, K> {
    /// What the holder of a draft reads and signs. Changes nothing but the log.
    ///
    /// # Errors
    /// [`OfficeError::State`] for what is no draft; [`OfficeError::NotTheSubject`]; [`OfficeError::Terms`].
    pub fn draft(
        &mut self,
        record: RecordId,
        who: Who<'_>,
        choice: &Choice,
        now: Time,
    ) -> Result<Offer, OfficeError> {
        self.alive(|office| {
            let row = office.expect(record, &[State::Draft])?;
            let draft = office.open_draft(record, who, now)?;
            let text = office.statement(record, &row, &draft, choice)?.to_text();
            let mut disclosures = parts::disclosures(record, &draft.document.disclosures)?;
            disclosures.extend(parts::disclosures(record, &draft.identity.disclosures)?);
            disclosures.sort_by_key(|it| it.field());
            Ok(Offer {
                document: draft.document.document.clone(),
                disclosures: disclosures.iter().map(|it| it.text().to_owned()).collect(),
                r: draft.opening.r,
                r_f: draft.opening.r_f,
                fingerprint: draft.fingerprint,
                text,
            })
        })
    }

    /// Takes a consent in. Durable when this returns; the same again changes nothing.
    ///
    /// # Errors
    /// Before anything changes: [`OfficeError::Consent`] by each reason of its own, [`OfficeError::ConsentReused`],
    /// [`OfficeError::ConsentExists`], [`OfficeError::ControlKey`], [`OfficeError::Evidence`], and those of
    /// [`Office::draft`].
    pub fn consent(
        &mut self,
        consent: &Consent<'_>,
        checks: &Checks<'_>,
        random: Random<'_>,
    ) -> Result<(), OfficeError> {
        self.consent_all(&[*consent], checks, random)?.remove(0)
    }

    /// Takes many consents in, with fewer syncs. Each has its own outcome, as [`Office::consent`] would give it; what was
    /// taken is durable when this returns.
    ///
    /// # Errors
    /// An error of the system, after which some were taken and others not.
    pub fn consent_all(
        &mut self,
        consents: &[Consent<'_>],
        checks: &Checks<'_>,
        random: Random<'_>,
    ) -> Result<Vec<Result<(), OfficeError>>, OfficeError> {
        let check = |office: &mut Self, consent: &Consent<'_>| office.check_consent(consent, checks);
        self.take_all(Part::Consent, consents, |consent| consent.record, check, random)
    }

    /// The part that a consent is kept as; nothing if it is there already.
    fn check_consent(
        &mut self,
        consent: &Consent<'_>,
        checks: &Checks<'_>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, OfficeError> {
        let (Consent { record, who, cms, control }, now) = (*consent, checks.now());
        let row = self.row(record)?;
        match self.state_of(record, &row)? {
            State::Draft => {}
            state @ (State::Refused(_) | State::Expired | State::Erased) => {
                return Err(OfficeError::State { record, state });
            }
            _ => return self.expect_consent(consent, now).map(|()| None),
        }
        control.check().map_err(|_| OfficeError::ControlKey)?;
        let shown = checks.shown()?;
        let given = read_statement(cms)?;
        let draft = self.open_draft(record, who, now)?;
        let choice = Choice {
            language: given.language(),
            method: given.method().clone(),
            small_group: given.terms().small_group,
        };
        let ours = self.statement(record, &row, &draft, &choice)?;
        if given.subject() != ours.subject() {
            let used: Option<RecordId> = get(&self.tree, &table::used(&given.subject()))?;
            if used.is_some_and(|other| other != record) {
                return Err(OfficeError::ConsentReused);
            }
        }
        let (iin, service) = (draft.identity.iin(record)?, self.config.service);
        let expected = Expected { statement: &ours, iin: &iin, service: service.as_ref() };
        consent::check(cms, &expected, &checks.context)?;
        // Durable by the vault's first barrier, before the consent is there.
        put(&self.tree, table::used(&ours.subject()), &record)?;
        Ok(Some(parts::write(&ConsentPart { cms: cms.to_vec(), control, shown })))
    }

    /// Ends a record before it was sent: by its holder, who does not consent, or by two officers who found it wrong. The
    /// batch it waits in, if any, is dissolved. Durable when this returns; again, it changes nothing.
    ///
    /// # Errors
    /// [`OfficeError::State`] once a transaction was sent; [`OfficeError::BatchLive`]; [`OfficeError::NotTheSubject`].
    pub fn refuse(&mut self, record: RecordId, who: Who<'_>, now: Time) -> Result<(), OfficeError> {
        self.alive(|office| {
            let row = office.row(record)?;
            match office.state_of(record, &row)? {
                State::Draft | State::Consented | State::Sealed | State::Batched => {}
                State::Refused(_) => return Ok(()),
                state => return Err(OfficeError::State { record, state }),
            }
            office.expect_subject(record, who, now)?;
            let refused = match who {
                Who::Holder(_) => Refused::ByHolder,
                Who::Officers(..) => Refused::ByRegistrar,
            };
            office.end(record, row, refused)
        })
    }

    /// Writes that nothing more is made of a record, after taking it out of its batch.
    pub(crate) fn end(
        &mut self,
        record: RecordId,
        row: RecordRow,
        refused: Refused,
    ) -> Result<(), OfficeError> {
        self.take_out(&row)?;
        self.put(table::record(record), &RecordRow { refused: Some(refused), batch: None, ..row })
    }

    /// The row of a record that is in one of these states.
    pub(crate) fn expect(&self, record: RecordId, states: &[State]) -> Result<RecordRow, OfficeError> {
        let row = self.row(record)?;
        let state = self.state_of(record, &row)?;
        if states.contains(&state) { Ok(row) } else { Err(OfficeError::State { record, state }) }
    }

    /// Refuses a holder whose record it is not, and one officer in the place of two. Officers see nothing by this, so it
    /// leaves no line in the log.
    pub(crate) fn expect_subject(
        &mut self,
        record: RecordId,
        who: Who<'_>,
        now: Time,
    ) -> Result<(), OfficeError> {
        match who {
            Who::Officers(one, other) if one.id == other.id => Err(OfficeError::TwoOfficers),
            Who::Officers(..) => Ok(()),
            Who::Holder(_) => {
                let [identity] = self.read_for(record, who, [Part::Identity], now)?;
                is_subject(record, &parts::read(record, &identity)?, who)
            }
        }
    }

    /// A consent that is there already: the same, or another.
    fn expect_consent(&mut self, consent: &Consent<'_>, now: Time) -> Result<(), OfficeError> {
        let Consent { record, who, cms, control } = *consent;
        let [identity, held] = self.read_for(record, who, [Part::Identity, Part::Consent], now)?;
        is_subject(record, &parts::read(record, &identity)?, who)?;
        let held: ConsentPart = parts::read(record, &held)?;
        let same = held.cms == cms && held.control == control;
        if same { Ok(()) } else { Err(OfficeError::ConsentExists(record)) }
    }
}

impl Checks<'_> {
    /// The moment, as the vault counts.
    pub(crate) fn now(&self) -> Time {
        Time(u64::try_from(self.context.at.unix_s()).unwrap_or_default())
    }

    /// What is written with a signature that was checked.
    pub(crate) fn shown(&self) -> Result<Shown, OfficeError> {
        let bytes = self.answers.iter().map(Vec::len).sum::<usize>() + 32 * self.lists.len();
        if bytes > EVIDENCE_BYTES_MAX {
            return Err(OfficeError::Evidence { bytes, bytes_max: EVIDENCE_BYTES_MAX });
        }
        Ok(Shown { at: self.now(), answers: self.answers.to_vec(), lists: self.lists.to_vec() })
    }
}

/// What the text inside a signed consent says; nothing of it is believed yet.
fn read_statement(cms: &[u8]) -> Result<Statement, OfficeError> {
    if cms.len() > consent::CONSENT_BYTES_MAX {
        return Err(consent::ConsentError::TooLong.into());
    }
    let message = SignedData::from_bytes(cms).map_err(consent::ConsentError::from)?;
    let text = message.content_or(None).map_err(consent::ConsentError::from)?;
    Ok(Statement::from_text(text).map_err(consent::ConsentError::from)?)
}
