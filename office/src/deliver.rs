//! Giving the holder's file out: once the diploma is on the ledger, and again until it is erased.

use tanba_credential::{HolderFile, holder};
use tanba_storage::tree::Tree;
use tanba_vault::{Part, RecordId, Time, epoch_keys::EpochKeys, folder::Folder};

use crate::{
    error::OfficeError,
    office::{Office, Who},
    parts::{self, ConsentPart, DocumentPart, IdentityPart, OpeningPart, SealPart},
    state::State,
    table::{self, RecordRow},
};

impl<T: Tree, F: Folder, K: EpochKeys> Office<T, F, K> {
    /// The file of a holder's diploma, opened once by the rules of every verifier before it is given. `proof` is a status
    /// proof that the caller fetched, if there is one. That it was given is durable when this returns.
    ///
    /// # Errors
    /// [`OfficeError::State`] before it is final; [`OfficeError::NotTheSubject`]; [`OfficeError::File`] if what the vault
    /// holds is not what was issued.
    pub fn deliver(
        &mut self,
        record: RecordId,
        who: Who<'_>,
        proof: Option<Vec<u8>>,
        now: Time,
    ) -> Result<HolderFile, OfficeError> {
        self.alive(|office| {
            let row = office.expect(record, &[State::Final, State::Delivered])?;
            let [document, identity, opening, consent, seal] =
                office.read_for(record, who, Part::ALL, now)?;
            let identity: IdentityPart = parts::read(record, &identity)?;
            crate::statement::is_subject(record, &identity, who)?;
            let document: DocumentPart = parts::read(record, &document)?;
            let opening: OpeningPart = parts::read(record, &opening)?;
            let consent: ConsentPart = parts::read(record, &consent)?;
            let seal: SealPart = parts::read(record, &seal)?;
            let diploma = parts::diploma(record, &document, &identity, &opening)?;
            let diploma = diploma.complete(seal.cms.clone(), consent.cms.clone());
            let mut file = HolderFile::new(office.config.chain.0, &diploma, consent.control, None);
            file.proof = proof;
            holder::open_signed(&file, &document.signer).map_err(OfficeError::File)?;
            if row.delivered.is_none() {
                office.put(table::record(record), &RecordRow { delivered: Some(now), ..row })?;
            }
            Ok(file)
        })
    }
}
