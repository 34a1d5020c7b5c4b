//! The university's seal: what its signer signs, and the signature that comes back.
//!
//! The signer sits elsewhere, with a national signature that no program here holds. One message seals one diploma, so
//! that a seal shown with a diploma says nothing of any other.

use tanba_credential::seal::{SEAL_BYTES, Sealed};
use tanba_ledger::record::KeyRole;
use tanba_storage::tree::Tree;
use tanba_vault::{OfficerId, Part, Random, RecordId, Time, epoch_keys::EpochKeys, folder::Folder};
use zeroize::Zeroizing;

use crate::{
    consents::Checks,
    error::OfficeError,
    office::{Office, Officer},
    parts::{self, DocumentPart, OpeningPart, SealPart},
    state::State,
};

impl<T: Tree, F: Folder, K: EpochKeys> Office<T, F, K> {
    /// The bytes to sign, for each of these records in their order. By a registrar. Changes nothing but the log.
    ///
    /// # Errors
    /// [`OfficeError::State`] if one of them has no consent, or a seal already.
    pub fn to_seal(
        &mut self,
        records: &[RecordId],
        officer: Officer,
        now: Time,
    ) -> Result<Vec<[u8; SEAL_BYTES]>, OfficeError> {
        let id = officer.expect(KeyRole::Registrar)?;
        self.alive(|office| {
            for record in records {
                office.expect(*record, &[State::Consented])?;
            }
            let mut all = Vec::with_capacity(records.len());
            office.read_all(
                records,
                id,
                [Part::Document, Part::Opening],
                now,
                |record, [document, opening]| {
                    all.push(
                        sealed(record, &parts::read(record, &document)?, &parts::read(record, &opening)?)?
                            .to_bytes(),
                    );
                    Ok(())
                },
            )?;
            Ok(all)
        })
    }

    /// Takes the seal of one diploma in: a CMS with those bytes inside, by the head of the institution or somebody with
    /// the right to sign for it. By a registrar. Durable when this returns; the same again changes nothing.
    ///
    /// # Errors
    /// Before anything changes: [`OfficeError::Seal`] by each reason of its own, [`OfficeError::SealExists`],
    /// [`OfficeError::Evidence`], [`OfficeError::State`] without a consent.
    pub fn seal(
        &mut self,
        record: RecordId,
        cms: &[u8],
        officer: Officer,
        checks: &Checks<'_>,
        random: Random<'_>,
    ) -> Result<(), OfficeError> {
        self.seal_all(&[(record, cms)], officer, checks, random)?.remove(0)
    }

    /// Takes many seals in, with fewer syncs. Each has its own outcome, as [`Office::seal`] would give it; what was taken is
    /// durable when this returns.
    ///
    /// # Errors
    /// [`OfficeError::Role`]; an error of the system, after which some were taken and others not.
    pub fn seal_all(
        &mut self,
        seals: &[(RecordId, &[u8])],
        officer: Officer,
        checks: &Checks<'_>,
        random: Random<'_>,
    ) -> Result<Vec<Result<(), OfficeError>>, OfficeError> {
        let id = officer.expect(KeyRole::Registrar)?;
        let check = |office: &mut Self, (record, cms): &(RecordId, &[u8])| {
            office.check_seal(*record, cms, id, checks)
        };
        self.take_all(Part::Seal, seals, |(record, _)| *record, check, random)
    }

    /// The part that a seal is kept as; nothing if it is there already.
    fn check_seal(
        &mut self,
        record: RecordId,
        cms: &[u8],
        officer: OfficerId,
        checks: &Checks<'_>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, OfficeError> {
        let now = checks.now();
        match self.state(record)? {
            State::Consented => {}
            State::Sealed | State::Batched | State::Submitted | State::Final | State::Delivered => {
                return self.expect_seal(record, cms, officer, now).map(|()| None);
            }
            state => return Err(OfficeError::State { record, state }),
        }
        let shown = checks.shown()?;
        let bin = tanba_eds::Bin::from_digits(self.issuer().as_str()).expect("a BIN has 12 digits");
        let parts = [Part::Document, Part::Opening];
        self.read_all(&[record], officer, parts, now, |record, [document, opening]| {
            let sealed = sealed(record, &parts::read(record, &document)?, &parts::read(record, &opening)?)?;
            sealed.check_cms(cms, &bin, &checks.context)?;
            Ok(())
        })?;
        Ok(Some(parts::write(&SealPart { cms: cms.to_vec(), shown })))
    }

    /// A seal that is there already: the same, or another.
    fn expect_seal(
        &mut self,
        record: RecordId,
        cms: &[u8],
        officer: OfficerId,
        now: Time,
    ) -> Result<(), OfficeError> {
        self.read_all(&[record], officer, [Part::Seal], now, |record, [held]| {
            let held: SealPart = parts::read(record, &held)?;
            if held.cms == cms { Ok(()) } else { Err(OfficeError::SealExists(record)) }
        })
    }
}

/// What the seal of a diploma is over.
fn sealed(record: RecordId, document: &DocumentPart, opening: &OpeningPart) -> Result<Sealed, OfficeError> {
    let document = document.document(record)?;
    Ok(Sealed::of(opening.fingerprint(&document), &document)?)
}
