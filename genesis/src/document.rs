//! A genesis that was checked, and its three forms: canonical bytes (what nodes keep), TOML (what people read),
//! and the first block (what the chain id names).
//!
//! The bytes are a magic, which carries the format's version, and the canonical encoding of [`Genesis`]. They
//! hold every record, so any node rebuilds the same state from them; the chain id commits to that state through
//! the header, and a file whose facts were changed founds another network.

use tanba_crypto::Canonical;
use tanba_ledger::{
    Block, ChainId, ValidatorSet,
    record::NetworkKind,
    state::{Delta, GenesisRecords, GenesisState, genesis_state},
};

use crate::{Genesis, Mistakes, check::check, draft::Draft, file, mistake::Notes};

/// Bytes of a genesis document.
pub const GENESIS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a genesis document begins with; the digit is the format's version.
const MAGIC: &[u8] = b"tanba-genesis/1\0";

/// A genesis of which everything was checked: form, cross references, proofs of possession.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GenesisDocument {
    genesis: Genesis,
    founding: Founding,
}

/// What a genesis founds: block 0, the network's id and the first state.
pub type Founding = GenesisState;

impl GenesisDocument {
    /// Checks `genesis`, whose lists may be in any order. Fails with every mistake, each under `name` and its
    /// path.
    pub fn new(name: &str, mut genesis: Genesis) -> Result<GenesisDocument, Mistakes> {
        let mut notes = Notes::default();
        check(&Draft::from(&genesis), &mut notes);
        notes.without_text(name)?;
        genesis.sort();
        GenesisDocument::found(name, genesis)
    }

    /// Reads and checks a TOML text. Fails with every mistake, each under `file` with line and column.
    pub fn read_toml(file: &str, text: &str) -> Result<GenesisDocument, Mistakes> {
        GenesisDocument::found(file, file::read(file, text)?)
    }

    /// Reads and checks what [`GenesisDocument::to_bytes`] wrote. `name` is what mistakes carry.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<GenesisDocument, Mistakes> {
        let Some(body) = bytes.strip_prefix(MAGIC) else {
            let what = "this is no genesis document of a format this version knows";
            return Err(Mistakes::whole(name, what, "take genesis.bin from another node of the network"));
        };
        let genesis = Genesis::from_canonical(body, GENESIS_BYTES_MAX).map_err(|error| {
            let what = format!("the genesis document is damaged: {error}");
            Mistakes::whole(name, what, "take genesis.bin from another node of the network")
        })?;
        let document = GenesisDocument::new(name, genesis.clone())?;
        if document.genesis != genesis || genesis.members.iter().any(is_not_as_founded) {
            let what = "the genesis document is not in canonical form";
            return Err(Mistakes::whole(name, what, "make it again from its TOML with `tanba genesis hash`"));
        }
        Ok(document)
    }

    /// Whether `bytes` claim to be a genesis document rather than a text.
    pub fn is_document(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        [MAGIC, &self.genesis.to_canonical()].concat()
    }

    /// The facts.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The kind of network.
    pub fn kind(&self) -> NetworkKind {
        self.genesis.params.kind
    }

    /// The network's id.
    pub fn chain_id(&self) -> ChainId {
        self.founding.chain
    }

    /// Block 0.
    pub fn block(&self) -> &Block {
        &self.founding.block
    }

    /// The first state, as the change from nothing.
    pub fn delta(&self) -> &Delta {
        &self.founding.delta
    }

    /// Block 0, the network's id and the first state together.
    pub fn founding(&self) -> &Founding {
        &self.founding
    }

    fn found(name: &str, genesis: Genesis) -> Result<GenesisDocument, Mistakes> {
        let length = MAGIC.len() + genesis.to_canonical().len();
        if length > GENESIS_BYTES_MAX {
            let what = format!("{length} canonical bytes, the limit is {GENESIS_BYTES_MAX}");
            return Err(Mistakes::whole(name, what, "leave accreditations to be recorded after the start"));
        }
        // The ledger has the last word on what founds a network; the checks above only say more, and sooner.
        let founding = genesis_state(&records(&genesis)?).map_err(|error| refused(name, error))?;
        Ok(GenesisDocument { genesis, founding })
    }
}

fn refused(name: &str, error: impl std::fmt::Display) -> Mistakes {
    Mistakes::whole(name, error.to_string(), "mend the section it names")
}

/// At the beginning nobody is frozen, stopped or succeeded; the text form has no words for it.
fn is_not_as_founded(member: &crate::Member) -> bool {
    let institution = &member.institution;
    institution.state != tanba_ledger::record::InstitutionState::Active || institution.successor.is_some()
}

/// The records of the first state. `genesis` is checked and sorted.
fn records(genesis: &Genesis) -> Result<GenesisRecords, Mistakes> {
    let members = &genesis.members;
    let mut accreditations = Vec::new();
    let mut keys = Vec::new();
    for member in members {
        let accredited = member.accreditations.iter();
        accreditations.extend(accredited.map(|(scope, record)| (member.bin(), scope.clone(), *record)));
        keys.extend(member.keys.iter().map(|key| (member.bin(), key.key, key.record)));
    }
    let validators = ValidatorSet::new(genesis.validators.clone());
    Ok(GenesisRecords {
        time: genesis.time,
        params: genesis.params.clone(),
        institutions: members.iter().map(|member| (member.bin(), member.institution.clone())).collect(),
        accreditations,
        keys,
        validators: validators.map_err(|error| refused("validators", error))?,
    })
}
