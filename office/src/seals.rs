//! The university's seal: what its signer signs, and the signature that comes back.
//!
//! The signer sits elsewhere, with a national signature that no program here holds. One message seals one diploma, so
//! that a seal shown with a diploma says nothing of any other.

use tanba_credential::seal::{SEAL_BYTES, Sealed};
use tanba_ledger::record::KeyRole;
use tanba_storage::tree::Tree;
use tanba_vault::{Part, Random, RecordId, Time, epoch_keys::EpochKeys, folder::Folder};

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
        let (id, now) = (officer.expect(KeyRole::Registrar)?, checks.now());
        self.alive(|office| {
            match office.state(record)? {
                State::Consented => {}
                State::Sealed | State::Batched | State::Submitted | State::Final | State::Delivered => {
                    return office.expect_seal(record, cms, officer, now);
                }
                state => return Err(OfficeError::State { record, state }),
            }
            let shown = checks.shown()?;
            let bin = tanba_eds::Bin::from_digits(office.issuer().as_str()).expect("a BIN has 12 digits");
            office.read_all(
                &[record],
                id,
                [Part::Document, Part::Opening],
                now,
                |record, [document, opening]| {
                    let sealed =
                        sealed(record, &parts::read(record, &document)?, &parts::read(record, &opening)?)?;
                    sealed.check_cms(cms, &bin, &checks.context)?;
                    Ok(())
                },
            )?;
            let part = parts::write(&SealPart { cms: cms.to_vec(), shown });
            Ok(office.vault.add(record, Part::Seal, &part, random)?)
        })
    }

    /// A seal that is there already: the same, or another.
    fn expect_seal(
        &mut self,
        record: RecordId,
        cms: &[u8],
        officer: Officer,
        now: Time,
    ) -> Result<(), OfficeError> {
        self.read_all(&[record], officer.id, [Part::Seal], now, |record, [held]| {
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
