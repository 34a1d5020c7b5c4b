//! What a printed code proves without the document: the eight fields of a diploma's face, the two nodes that lead from
//! them to the field root, and the three digests that make F of it.
//!
//! The document itself is too long to print. Its SHA-256 and r complete F, and F is on the ledger; so whoever scans the
//! code learns that the institution issued exactly these eight fields, and nothing of the others.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use tanba_crypto::Hash;

use crate::{
    Disclosure, HolderFile,
    commitment::fingerprint_of_digest,
    disclosure::{DisclosureError, digest},
    encoding::{bytes32, hash},
    leaves::{self, BLOCKS, LEAVES, PRINT_LEAVES},
    requisites::{Field, Value},
};

/// The eight fields and their proof.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrintSet {
    /// The eight disclosures, in order of their leaves.
    pub disclosures: [String; PRINT_LEAVES],
    /// Which of the four aligned subtrees they are.
    pub block: u8,
    /// The nodes beside the way to the root, nearest first.
    #[serde(with = "path")]
    pub path: [Hash; 2],
    /// SHA-256 of the document.
    #[serde(with = "hash")]
    pub document_sha256: Hash,
    /// The opening of F.
    #[serde(with = "bytes32")]
    pub r: [u8; 32],
}

/// What a print set proves of the diploma with this F. Whether the ledger holds it is asked of the ledger.
#[derive(Clone, PartialEq, Eq)]
pub struct Printed {
    /// The eight fields.
    pub fields: BTreeMap<Field, Value>,
    /// F, recomputed.
    pub fingerprint: Hash,
}

/// Why a print set proves nothing. Carries nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PrintSetError {
    /// The file lacks a field of the print set, or they do not fill one subtree.
    #[error("the print set is not one aligned subtree of the document's digests")]
    NotOneBlock,
    /// A number of the subtree beyond the four.
    #[error("there are {BLOCKS} subtrees")]
    Block,
    /// A field breaks the rules.
    #[error("a field breaks the rules of its type: {0}")]
    Field(#[from] DisclosureError),
    /// The fields are not those of the print set, each once.
    #[error("the fields are not those of the print set")]
    Fields,
}

impl PrintSet {
    /// Takes the print set out of a holder's file. The file must open otherwise; here only its digests are read.
    pub fn of(file: &HolderFile, digests: &[Hash; LEAVES]) -> Result<PrintSet, PrintSetError> {
        let by_digest: BTreeMap<Hash, &String> =
            file.disclosures.iter().map(|text| (digest(text), text)).collect();
        let is_print =
            |text: &str| Disclosure::parse(text).is_ok_and(|one| Field::PRINT_SET.contains(&one.field()));
        let shown =
            |leaf: &Hash| by_digest.get(leaf).filter(|text| is_print(text)).map(|text| (*text).clone());
        let mut blocks = digests.chunks_exact(PRINT_LEAVES).enumerate();
        let found = blocks.find_map(|(block, leaves)| {
            let texts: Option<Vec<String>> = leaves.iter().map(shown).collect();
            Some((block, <[String; PRINT_LEAVES]>::try_from(texts?).ok()?))
        });
        let (block, disclosures) = found.ok_or(PrintSetError::NotOneBlock)?;
        Ok(PrintSet {
            disclosures,
            block: u8::try_from(block).expect("one of four"),
            path: leaves::print_path(digests, block),
            document_sha256: Hash::plain(file.document.as_bytes()),
            r: file.r,
        })
    }

    /// Reads the eight fields and recomputes F from them.
    pub fn open(&self) -> Result<Printed, PrintSetError> {
        let block = usize::from(self.block);
        if block >= BLOCKS {
            return Err(PrintSetError::Block);
        }
        let mut fields = BTreeMap::new();
        for text in &self.disclosures {
            let disclosure = Disclosure::parse(text)?;
            fields.insert(disclosure.field(), disclosure.value().clone());
        }
        if Field::PRINT_SET.iter().any(|field| !fields.contains_key(field)) {
            return Err(PrintSetError::Fields);
        }
        let leaves = self.disclosures.each_ref().map(|text| digest(text));
        let root = leaves::root_from_block(&leaves, block, &self.path);
        Ok(Printed { fields, fingerprint: fingerprint_of_digest(&self.r, &root, &self.document_sha256) })
    }
}

impl fmt::Debug for PrintSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrintSet").field("block", &self.block).finish_non_exhaustive()
    }
}

impl fmt::Debug for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printed").field("fields", &self.fields.len()).finish_non_exhaustive()
    }
}

/// serde: two digests as hex.
mod path {
    use serde::{Deserializer, Serializer};

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Node(#[serde(with = "hash")] Hash);

    pub(super) fn serialize<S: Serializer>(path: &[Hash; 2], to: S) -> Result<S::Ok, S::Error> {
        path.map(Node).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[Hash; 2], D::Error> {
        <[Node; 2]>::deserialize(from).map(|nodes| nodes.map(|node| node.0))
    }
}

#[cfg(test)]
mod tests {
    use tanba_crypto::SigningKey;

    use super::*;
    use crate::{
        Diploma, IssuerBin,
        diploma::tests::{draw, requisites},
    };

    fn made(n: u8) -> (Diploma, HolderFile) {
        let key = SigningKey::ed25519(&[7; 32]);
        let issuer = IssuerBin::parse("000000000018").expect("12 digits");
        let diploma = Diploma::sign(&requisites(), issuer, 20_634, None, &draw(n), &key).expect("legal");
        let file = HolderFile::new(Hash([9; 32]), &diploma, SigningKey::ed25519(&[5; 32]).public(), None);
        (diploma, file)
    }

    #[test]
    fn a_print_set_proves_its_eight_fields_of_f() {
        for n in 1..12 {
            let (diploma, file) = made(n);
            let set = PrintSet::of(&file, diploma.document.digests()).expect("one block");
            let json = serde_json::to_vec(&set).expect("JSON");
            assert_eq!(serde_json::from_slice::<PrintSet>(&json).ok().as_ref(), Some(&set));
            let printed = set.open().expect("opens");
            assert_eq!(printed.fingerprint, diploma.fingerprint);
            let all = requisites().fields().expect("legal");
            assert_eq!(printed.fields.len(), PRINT_LEAVES);
            assert!(printed.fields.iter().all(|(field, value)| all.get(field) == Some(value)));
        }
    }

    #[test]
    fn every_changed_part_leads_to_another_f_or_nowhere() {
        let (diploma, file) = made(1);
        let (_, other) = made(2);
        let changed = |change: &dyn Fn(&mut PrintSet)| {
            let mut set = PrintSet::of(&file, diploma.document.digests()).expect("one block");
            change(&mut set);
            set.open().map(|printed| printed.fingerprint == diploma.fingerprint)
        };
        assert_eq!(changed(&|_| ()), Ok(true));
        assert_eq!(changed(&|set| set.block ^= 1), Ok(false));
        assert_eq!(changed(&|set| set.block = 4), Err(PrintSetError::Block));
        assert_eq!(changed(&|set| set.path.swap(0, 1)), Ok(false));
        assert_eq!(changed(&|set| set.document_sha256.0[0] ^= 1), Ok(false));
        assert_eq!(changed(&|set| set.r[0] ^= 1), Ok(false));
        assert_eq!(changed(&|set| set.disclosures.swap(0, 1)), Ok(false));
        let level = |file: &HolderFile| {
            let is_level = |text: &&String| Disclosure::parse(text).expect("a field").field() == Field::Level;
            file.disclosures.iter().find(is_level).expect("a level").clone()
        };
        let (ours, theirs) = (level(&file), level(&other));
        let swap = |set: &mut PrintSet| {
            let place = set.disclosures.iter_mut().find(|text| **text == ours).expect("a level");
            place.clone_from(&theirs);
        };
        assert_eq!(changed(&swap), Ok(false), "the same value under another salt");
        let twice = |set: &mut PrintSet| set.disclosures[0] = set.disclosures[1].clone();
        assert_eq!(changed(&twice), Err(PrintSetError::Fields));
    }

    #[test]
    fn a_file_that_lacks_a_field_has_no_print_set() {
        let (diploma, mut file) = made(1);
        file.disclosures.remove(0);
        let refused = PrintSet::of(&file, diploma.document.digests());
        assert_eq!(refused, Err(PrintSetError::NotOneBlock));
    }
}
