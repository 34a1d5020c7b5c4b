//! What genesis holds: plain values, unchecked. [`GenesisDocument`](crate::GenesisDocument) is the checked form.

use tanba_crypto::{
    PublicKey, Signature, SigningKey,
    canonical::{Decode, Encode},
};
use tanba_ledger::{
    Bin, Scope, Timestamp, Validator,
    record::{Accreditation, Institution, KeyRecord, KeyRole, NetworkKind, Params},
    transaction::factor,
};

use crate::possession;

/// Institutions of one genesis. Kazakhstan has about 130 universities.
pub const INSTITUTIONS_MAX: usize = 1_024;

/// Keys that one institution lists in genesis.
pub const KEYS_MAX: usize = 256;

/// Accreditations that one institution lists in genesis.
pub const ACCREDITATIONS_MAX: usize = 4_096;

/// Bytes of one name of an institution, in UTF-8.
pub const NAME_BYTES_MAX: usize = 300;

/// Bytes of a regime's document number, in UTF-8.
pub const DOCUMENT_NUMBER_BYTES_MAX: usize = 64;

/// Bytes of a network name.
pub const NETWORK_BYTES_MAX: usize = 32;

/// The first facts of a network. Lists are in the order that [`Genesis::sort`] makes.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Genesis {
    /// The network's name: 3 to [`NETWORK_BYTES_MAX`] of `a-z`, `0-9`, `-`, beginning with a letter.
    pub network: String,
    /// The time of block 0.
    pub time: Timestamp,
    /// What all nodes agree on, the kind of network among it.
    pub params: Params,
    /// Universities and regulators, ascending by BIN.
    pub members: Vec<Member>,
    /// Who decides block 1, ascending by BIN.
    pub validators: Vec<Validator>,
}

/// An institution and what it brings along.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Member {
    /// Its record. Active, without a successor; peers ascending by key.
    pub institution: Institution,
    /// Its keys, ascending by key.
    pub keys: Vec<MemberKey>,
    /// What it may award, ascending by scope.
    pub accreditations: Vec<(Scope, Accreditation)>,
}

/// A key, and the proof that whoever listed it holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct MemberKey {
    /// The key.
    pub key: PublicKey,
    /// Its record. `from` 0 means: since the network began.
    pub record: KeyRecord,
    /// The signature that [`possession::prove`] makes.
    pub proof: Signature,
}

impl Member {
    /// The institution's number.
    pub const fn bin(&self) -> Bin {
        self.institution.bin
    }
}

impl MemberKey {
    /// A key that counts from the beginning and without end, with its proof.
    pub fn proven(
        network: &str,
        bin: Bin,
        role: KeyRole,
        key: &SigningKey,
        certificate: tanba_crypto::Hash,
    ) -> MemberKey {
        MemberKey {
            key: key.public(),
            record: KeyRecord { role, from: Timestamp(0), to: None, certificate },
            proof: possession::prove(network, bin, role, key),
        }
    }
}

impl Genesis {
    /// Puts every list into the order of the canonical form. People may list as they like.
    pub fn sort(&mut self) {
        self.members.sort_by_key(Member::bin);
        self.validators.sort();
        for member in &mut self.members {
            member.keys.sort_by_key(|key| key.key);
            member.institution.peers.sort_by_key(|peer| peer.key);
            member.accreditations.sort_by(|a, b| a.0.cmp(&b.0));
        }
    }
}

/// Parameters a new network of this kind starts from. Those of a main network lack the list of domestic
/// networks ([`Params::territory`]), which nobody can guess.
pub fn default_params(kind: NetworkKind) -> Params {
    match kind {
        NetworkKind::Devnet => Params {
            kind,
            heartbeat_ms: 5_000,
            officer_delay_ms: 0,
            factors_min: factor::KEY,
            issued_daily_max: 1_000_000,
            changed_daily_max: 1_000_000,
            territory: tanba_crypto::Hash::ZERO,
        },
        NetworkKind::Main => Params {
            kind,
            heartbeat_ms: 300_000,
            officer_delay_ms: 24 * 3_600_000,
            factors_min: factor::KEY | factor::CERTIFICATE,
            issued_daily_max: 20_000,
            changed_daily_max: 1_000,
            territory: tanba_crypto::Hash::ZERO,
        },
    }
}
