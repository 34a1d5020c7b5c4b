//! What the state remembers: one record per institution, accreditation, key, batch, token and quota, and the
//! network's own. Every record lies in one table under one key and is versioned by its leaf
//! ([`Leaf`](crate::merkle::Leaf)); nothing is ever deleted.

use tanba_crypto::{
    Canonical, Hash, PublicKey, Tag,
    canonical::{Decode, Encode},
};

use crate::{
    Bin, Day, Fingerprint, Month, Scope, Timestamp, TransactionId,
    operation::{Basis, Reason, Right},
};

/// The tables of the state map, by the number that roots and record keys carry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Table {
    /// [`Institution`] by BIN.
    Institutions = 1,
    /// [`Accreditation`] by BIN and scope.
    Accreditations = 2,
    /// [`KeyRecord`] by BIN and key.
    Keys = 3,
    /// [`Batch`] by transaction.
    Batches = 4,
    /// [`Token`] by issuer and fingerprint.
    Tokens = 5,
    /// [`Quota`] by BIN.
    Quotas = 6,
    /// Institutions that govern. Reserved.
    Council = 7,
    /// [`Params`].
    Params = 8,
    /// The [`ValidatorSet`](crate::ValidatorSet) of the next height.
    Validators = 9,
    /// Open proposals. Reserved.
    Proposals = 10,
    /// Highest [`AuditHead`](crate::transaction::AuditHead) by BIN.
    Audit = 11,
}

impl Table {
    /// Every table, in the order in which the state root lists them.
    pub const ALL: [Table; 11] = [
        Table::Institutions,
        Table::Accreditations,
        Table::Keys,
        Table::Batches,
        Table::Tokens,
        Table::Quotas,
        Table::Council,
        Table::Params,
        Table::Validators,
        Table::Proposals,
        Table::Audit,
    ];

    /// The table's place in [`Table::ALL`].
    pub const fn at(self) -> usize {
        self as usize - 1
    }
}

/// The name of a record: its table and where it lies in the table's trie.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordKey {
    /// The table.
    pub table: Table,
    /// SHA-256 over tag, table number and canonical id.
    pub key: Hash,
}

impl RecordKey {
    fn new(table: Table, id: &impl Canonical) -> RecordKey {
        RecordKey { table, key: Hash::tagged(Tag::RECORD_KEY, &[&[table as u8], &id.to_canonical()]) }
    }

    /// Where an institution lies.
    pub fn institution(bin: Bin) -> RecordKey {
        RecordKey::new(Table::Institutions, &bin)
    }

    /// Where an accreditation lies.
    pub fn accreditation(bin: Bin, scope: &Scope) -> RecordKey {
        RecordKey::new(Table::Accreditations, &(bin, scope.clone()))
    }

    /// Where a key of an institution lies.
    pub fn key(bin: Bin, key: &PublicKey) -> RecordKey {
        RecordKey::new(Table::Keys, &(bin, *key))
    }

    /// Where a batch lies.
    pub fn batch(id: TransactionId) -> RecordKey {
        RecordKey::new(Table::Batches, &id)
    }

    /// Where a token lies.
    pub fn token(issuer: Bin, fingerprint: &Fingerprint) -> RecordKey {
        RecordKey::new(Table::Tokens, &(issuer, *fingerprint))
    }

    /// Where an institution's quota lies.
    pub fn quota(bin: Bin) -> RecordKey {
        RecordKey::new(Table::Quotas, &bin)
    }

    /// Where the parameters lie.
    pub fn params() -> RecordKey {
        RecordKey::new(Table::Params, &())
    }

    /// Where the validators of the next height lie.
    pub fn validators() -> RecordKey {
        RecordKey::new(Table::Validators, &())
    }

    /// Where an institution's audit head lies.
    pub fn audit(bin: Bin) -> RecordKey {
        RecordKey::new(Table::Audit, &bin)
    }
}

/// A name in the three languages of the ledger's readers. Public: names of institutions only.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Names {
    /// Kazakh.
    pub kk: String,
    /// Russian.
    pub ru: String,
    /// English.
    pub en: String,
}

/// A licensed university or a regulator.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Institution {
    /// Which one: a listing of the table finds hashed keys only.
    pub bin: Bin,
    /// What it is called.
    pub names: Names,
    /// What it is.
    pub role: InstitutionRole,
    /// The permit under which it issues. Regulators have none.
    pub regime: Option<Regime>,
    /// Proof of its capital, where the regime asks for one.
    pub capital: Option<Capital>,
    /// Salted commitment to the statement on where node, vault and backups stand.
    pub hosting: Hash,
    /// Whether it may act.
    pub state: InstitutionState,
    /// Who took over its duties.
    pub successor: Option<Bin>,
    /// Its nodes, at most [`PEERS_MAX`](crate::limits::PEERS_MAX), strictly ascending by key.
    pub peers: Vec<Peer>,
}

/// What an institution is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum InstitutionRole {
    /// Issues diplomas.
    University,
    /// Accredits, licenses, observes.
    Regulator,
}
tanba_crypto::canonical_enum!(InstitutionRole { 1 = University, 2 = Regulator });

/// The legal ground on which tokens are issued, and for how long.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Regime {
    /// Which ground.
    pub kind: RegimeKind,
    /// The document's public number.
    pub document_number: String,
    /// Salted commitment to the document.
    pub document: Hash,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
}

/// The grounds of the law on digital assets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegimeKind {
    /// A permit to issue secured digital assets.
    Permit,
    /// The sandbox of the Astana International Financial Centre, with a cap on tokens in total.
    AifcSandbox(u64),
    /// An information system of an educational organisation.
    InfoSystem,
}
tanba_crypto::canonical_enum!(RegimeKind { 1 = Permit, 2 = AifcSandbox(tokens_max), 3 = InfoSystem });

/// Proof of capital.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Capital {
    /// Salted commitment to the attestation.
    pub attestation: Hash,
    /// Tenge.
    pub amount_kzt: u64,
    /// Last day it holds.
    pub to: Day,
}

/// Whether an institution may act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InstitutionState {
    /// It may.
    Active,
    /// It may not issue, change standings or add officers before this moment.
    FrozenUntil(Timestamp),
    /// It issues no more; its diplomas stay what they are.
    Stopped,
}
tanba_crypto::canonical_enum!(InstitutionState { 1 = Active, 2 = FrozenUntil(until), 3 = Stopped });

/// A node of an institution.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Peer {
    /// The node key; the libp2p PeerId follows from it.
    pub key: PublicKey,
    /// What the node may do.
    pub kind: PeerKind,
    /// From when it is admitted.
    pub from: Timestamp,
    /// Until when.
    pub to: Option<Timestamp>,
}

/// What a node may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PeerKind {
    /// Votes.
    Validator,
    /// Follows and serves.
    Observer,
}
tanba_crypto::canonical_enum!(PeerKind { 1 = Validator, 2 = Observer });

/// An accreditation, as the competent regulator recorded it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Accreditation {
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
    /// The regulator that recorded it.
    pub recorded_by: Bin,
}

impl Accreditation {
    /// Whether it held on any day of `month`.
    pub fn covers(&self, month: Month) -> bool {
        self.from <= month.last_day() && month.first_day() <= self.to
    }
}

/// What a key may do. One key has one role for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum KeyRole {
    /// Proposes a batch or a change.
    Registrar = 1,
    /// Confirms what a registrar proposed.
    Approver = 2,
    /// Manages keys and nodes.
    Admin = 3,
    /// Signs diploma documents.
    Document = 4,
    /// Votes.
    Validator = 5,
    /// Identifies a node on the network.
    Node = 6,
    /// Co-signs checkpoints.
    Witness = 7,
}
tanba_crypto::canonical_enum!(KeyRole {
    1 = Registrar,
    2 = Approver,
    3 = Admin,
    4 = Document,
    5 = Validator,
    6 = Node,
    7 = Witness,
});

/// A key of an institution.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct KeyRecord {
    /// What it may do.
    pub role: KeyRole,
    /// From when it counts.
    pub from: Timestamp,
    /// Until when.
    pub to: Option<Timestamp>,
    /// Blinded commitment to the certificate of the person or system that holds it.
    pub certificate: Hash,
}

impl KeyRecord {
    /// Whether the key counts at `time`.
    pub fn holds_at(&self, time: Timestamp) -> bool {
        self.from <= time && self.to.is_none_or(|to| time < to)
    }
}

/// What the diplomas of one `Issue` have in common.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Batch {
    /// The issuer.
    pub issuer: Bin,
    /// Programmes and levels among the entries.
    pub scopes: Vec<Scope>,
    /// Month of award.
    pub awarded_month: Month,
    /// Salted commitment to the decision to award.
    pub decision: Hash,
    /// Award or archive.
    pub basis: Basis,
    /// What is certified.
    pub right: Right,
    /// Whether the batch is small, as its holders were told.
    pub small: bool,
    /// RFC 6962 root over the entries' canonical bytes.
    pub entries_root: Hash,
    /// How many entries.
    pub count: u32,
}

/// A diploma's token.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Token {
    /// The batch it came in.
    pub batch: TransactionId,
    /// G.
    pub gost: [u8; 32],
    /// Commitment to the holder's control key.
    pub control: Hash,
    /// What the university says of it.
    pub standing: Standing,
    /// What the holder lets be seen.
    pub visibility: Visibility,
    /// Why the standing last changed.
    pub reason: Option<Reason>,
    /// The day of the last holder's act.
    pub acts_day: Day,
    /// Holder's acts on that day, at most [`HOLDER_ACTS_DAILY_MAX`](crate::limits::HOLDER_ACTS_DAILY_MAX).
    pub acts_count: u8,
}

/// What the university says of a token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// It holds.
    Valid,
    /// It does not hold for now.
    Suspended,
    /// It does not hold any more. Final.
    Revoked,
    /// Another took its place, named under a salt. Final.
    Replaced(Hash),
}
tanba_crypto::canonical_enum!(Standing { 1 = Valid, 2 = Suspended, 3 = Revoked, 4 = Replaced(link) });

/// What the holder lets be seen. It never improves a standing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Visibility {
    /// Anyone with the document may check it.
    Open,
    /// Checks answer "not available" for now.
    Restricted,
    /// Checks answer "not available" for ever.
    Withdrawn,
}
tanba_crypto::canonical_enum!(Visibility { 1 = Open, 2 = Restricted, 3 = Withdrawn });

/// What an institution did today, and in total.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Quota {
    /// The day counted ([`Timestamp::day`](crate::Timestamp::day)).
    pub day: Day,
    /// Diplomas recorded that day.
    pub issued_today: u32,
    /// Standings changed that day.
    pub changed_today: u32,
    /// Diplomas recorded ever.
    pub issued_total: u64,
}

/// What kind of network this is: the only source of relaxations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NetworkKind {
    /// Throw-away: short delays, unsigned sample documents.
    Devnet,
    /// The real one.
    Main,
}
tanba_crypto::canonical_enum!(NetworkKind { 1 = Devnet, 2 = Main });

/// What all nodes agree on beyond the rules.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Params {
    /// What kind of network this is.
    pub kind: NetworkKind,
    /// After so long without a block an empty one is due, in milliseconds.
    pub heartbeat_ms: u64,
    /// From adding an officer to the officer's first act, in milliseconds.
    pub officer_delay_ms: u64,
    /// Factors every officer's approval must carry ([`factor`](crate::transaction::factor)).
    pub factors_min: u16,
    /// Diplomas an institution may record a day.
    pub issued_daily_max: u32,
    /// Standings an institution may change a day.
    pub changed_daily_max: u32,
    /// Hash of the list of networks inside the country; zero on a devnet.
    pub territory: Hash,
}
