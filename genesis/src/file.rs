//! The text form of genesis, in TOML: every key with its meaning and form, and the join files from which a
//! genesis is put together.
//!
//! ```toml
//! network = "tanba-kz"                # 3 to 32 of a-z, 0-9, -; every proof of possession is made for it
//! kind = "main"                       # "devnet" or "main"
//! time = 2026-09-01T00:00:00Z         # the time of block 0
//!
//! [params]
//! heartbeat_ms = 300000               # an empty block after so long without one
//! officer_delay_ms = 86400000         # from adding an officer to the officer's first act
//! factors_min = ["key", "certificate"]
//! issued_daily_max = 20000            # diplomas an institution may record a day
//! changed_daily_max = 1000            # standings an institution may change a day
//! territory = "<64 hex digits>"       # SHA-256 of the list of domestic networks; absent on a devnet
//!
//! [[institutions]]
//! bin = "<12 digits>"
//! role = "university"                 # or "regulator"
//! names = { kk = "…", ru = "…", en = "…" }
//! hosting = "<64 hex digits>"         # commitment to the hosting statement; may be absent on a devnet
//!
//! [institutions.regime]               # universities
//! kind = "permit"                     # or "info-system", or "aifc-sandbox" with tokens_max
//! document_number = "…"
//! document = "<64 hex digits>"
//! from = 2026-01-01
//! to = 2035-12-31
//!
//! [institutions.capital]              # where the regime asks for it
//! attestation = "<64 hex digits>"
//! amount_kzt = 500000000
//! to = 2027-12-31
//!
//! [[institutions.keys]]               # `tanba keys prove` prints this section
//! role = "registrar"                  # approver, admin, document, validator, node, witness
//! key = "ed25519:<64 hex digits>"
//! from = 2026-09-01T00:00:00Z         # absent: from the beginning
//! to = 2028-09-01T00:00:00Z           # absent: without end
//! certificate = "<64 hex digits>"     # may be absent on a devnet
//! proof = "ed25519:<128 hex digits>"
//!
//! [[institutions.peers]]              # its nodes; each key is also listed above with role "node"
//! key = "ed25519:<64 hex digits>"
//! kind = "validator"                  # or "observer"
//!
//! [[institutions.accreditations]]
//! programme = "6B06101"
//! level = 6
//! from = 2024-01-01
//! to = 2029-12-31
//! recorded_by = "<BIN of a regulator>"
//!
//! [[validators]]
//! bin = "<12 digits>"
//! key = "ed25519:<64 hex digits>"
//! ```

use tanba_crypto::Hash;
use tanba_ledger::{
    Bin, Level, Programme, Timestamp,
    ids::BinError,
    limits::{PEERS_MAX, VALIDATORS_MAX},
    record::{Capital, Names, Regime, RegimeKind},
};
use toml::de::DeValue;

use crate::{
    Member, Mistakes,
    check::{check, check_member_alone},
    draft::{Draft, DraftAccreditation, DraftKey, DraftMember, DraftParams, DraftPeer, DraftValidator},
    mistake::Notes,
    model::{ACCREDITATIONS_MAX, Genesis, INSTITUTIONS_MAX, KEYS_MAX},
    reader::{self, Field, Section, day, field, integer, moment, text, text_as, texts, word},
    text::{
        FACTORS, INSTITUTION_ROLES, KEY_ROLES, KINDS, PEER_KINDS, list, parse_hash, parse_key,
        parse_signature, value_of,
    },
};

/// Bytes of a genesis or join file.
pub const GENESIS_TEXT_BYTES_MAX: usize = 32 * 1024 * 1024;

const NETWORK: Field = field("network", "\"tanba-kz\"");
const HASH_EXAMPLE: &str = "\"0000000000000000000000000000000000000000000000000000000000000000\"";
const KEY: Field = field("key", "\"ed25519:<64 hex digits>\"");
const BIN: Field = field("bin", "\"<12 digits>\"");
const DATE_FROM: Field = field("from", "2026-01-01");
const DATE_TO: Field = field("to", "2030-12-31");
const MOMENT_FROM: Field = field("from", "2026-09-01T00:00:00Z");
const MOMENT_TO: Field = field("to", "2030-09-01T00:00:00Z");

/// What one institution hands in: its section of genesis, with keys proven for the named network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Join {
    /// The network the proofs are made for.
    pub network: String,
    /// The institution.
    pub member: Member,
}

/// Reads and checks a genesis file; `file` is the name that mistakes carry.
pub(crate) fn read(file: &str, text: &str) -> Result<Genesis, Mistakes> {
    refuse_too_long(file, text)?;
    let mut notes = Notes::default();
    let table = reader::parse(text, &mut notes);
    let draft = read_draft(Section::root(&table), &mut notes);
    check(&draft, &mut notes);
    notes.in_text(file, text)?;
    Ok(draft.finish().expect("a hole in a draft is always noted"))
}

/// Reads a join file: `network` and one `[[institutions]]` section, as [`Join::to_toml`](Join) writes them.
/// Proofs are checked; what depends on other institutions is not.
pub fn read_join(file: &str, text: &str) -> Result<Join, Mistakes> {
    refuse_too_long(file, text)?;
    let mut notes = Notes::default();
    let table = reader::parse(text, &mut notes);
    let mut root = Section::root(&table);
    let network = read_network(&mut root, &mut notes);
    let mut members = read_members(&mut root, &mut notes);
    root.finish(&mut notes);
    if members.len() != 1 {
        let what = format!("a join file holds one institution, this one holds {}", members.len());
        notes.add("institutions", what, "write exactly one section [[institutions]]");
    }
    for member in &members {
        check_member_alone(network.as_deref(), member, &mut notes);
    }
    notes.in_text(file, text)?;
    let member = members.pop().and_then(DraftMember::finish).expect("a hole in a draft is always noted");
    Ok(Join { network: network.expect("a hole in a draft is always noted"), member })
}

fn refuse_too_long(file: &str, text: &str) -> Result<(), Mistakes> {
    if text.len() <= GENESIS_TEXT_BYTES_MAX {
        return Ok(());
    }
    let what = format!("{} bytes, the limit is {GENESIS_TEXT_BYTES_MAX}", text.len());
    Err(Mistakes::whole(file, what, "check that this is the right file"))
}

fn read_draft(mut section: Section<'_>, notes: &mut Notes) -> Draft {
    let network = read_network(&mut section, notes);
    let kind = section.required(notes, field("kind", "\"main\""), word(KINDS));
    let time = section.required(notes, field("time", "2026-09-01T00:00:00Z"), moment);
    let params = match section.section(notes, "params") {
        Some(params) => read_params(params, notes),
        None => {
            notes.add(
                "params",
                "the section is missing",
                "add a section [params]; `tanba genesis new` writes one",
            );
            DraftParams::default()
        }
    };
    let members = read_members(&mut section, notes);
    let validators = section.sections(notes, "validators", VALIDATORS_MAX);
    let validators = validators.into_iter().map(|v| read_validator(v, notes)).collect();
    section.finish(notes);
    Draft { network, kind, time, params, members, validators }
}

fn read_network(root: &mut Section<'_>, notes: &mut Notes) -> Option<String> {
    root.required(notes, NETWORK, text)
}

fn read_params(mut section: Section<'_>, notes: &mut Notes) -> DraftParams {
    let params = DraftParams {
        heartbeat_ms: section.required(notes, field("heartbeat_ms", "300000"), integer),
        officer_delay_ms: section.required(notes, field("officer_delay_ms", "86400000"), integer),
        factors_min: section.required(notes, field("factors_min", "[\"key\", \"certificate\"]"), factors),
        issued_daily_max: section.required(notes, field("issued_daily_max", "20000"), integer),
        changed_daily_max: section.required(notes, field("changed_daily_max", "1000"), integer),
        territory: optional_hash(&mut section, notes, "territory"),
    };
    section.finish(notes);
    params
}

fn factors(value: &DeValue<'_>) -> Result<u16, String> {
    texts(value)?.iter().try_fold(0, |set, word| match value_of(FACTORS, word) {
        Some(factor) => Ok(set | factor),
        None => Err(format!("{word:?} is none of {}", list(FACTORS))),
    })
}

fn read_members(root: &mut Section<'_>, notes: &mut Notes) -> Vec<DraftMember> {
    let sections = root.sections(notes, "institutions", INSTITUTIONS_MAX);
    sections.into_iter().map(|section| read_member(section, notes)).collect()
}

fn read_member(mut section: Section<'_>, notes: &mut Notes) -> DraftMember {
    let member = DraftMember {
        path: section.path().to_owned(),
        bin: section.required(notes, BIN, bin),
        role: section.required(notes, field("role", "\"university\""), word(INSTITUTION_ROLES)),
        names: read_names(&mut section, notes),
        hosting: optional_hash(&mut section, notes, "hosting"),
        regime: whole(section.section(notes, "regime"), notes, read_regime),
        capital: whole(section.section(notes, "capital"), notes, read_capital),
        keys: each(section.sections(notes, "keys", KEYS_MAX), notes, read_key),
        peers: each(section.sections(notes, "peers", PEERS_MAX), notes, read_peer),
        accreditations: each(
            section.sections(notes, "accreditations", ACCREDITATIONS_MAX),
            notes,
            read_accreditation,
        ),
    };
    section.finish(notes);
    member
}

/// An optional table: absent, or read whole, or unreadable.
fn whole<'t, T>(
    section: Option<Section<'t>>,
    notes: &mut Notes,
    read: impl FnOnce(Section<'t>, &mut Notes) -> Option<T>,
) -> Option<Option<T>> {
    match section {
        None => Some(None),
        Some(section) => read(section, notes).map(Some),
    }
}

fn each<'t, T>(
    sections: Vec<Section<'t>>,
    notes: &mut Notes,
    read: impl Fn(Section<'t>, &mut Notes) -> T,
) -> Vec<T> {
    sections.into_iter().map(|section| read(section, notes)).collect()
}

fn read_names(member: &mut Section<'_>, notes: &mut Notes) -> Option<Names> {
    let Some(mut section) = member.section(notes, "names") else {
        let remedy = "add names = { kk = \"…\", ru = \"…\", en = \"…\" }";
        notes.add(member.path_of("names"), "the names are missing", remedy);
        return None;
    };
    let mut name = |language| section.required(notes, field(language, "\"…\""), text);
    let (kk, ru, en) = (name("kk"), name("ru"), name("en"));
    section.finish(notes);
    Some(Names { kk: kk?, ru: ru?, en: en? })
}

fn read_regime(mut section: Section<'_>, notes: &mut Notes) -> Option<Regime> {
    const KINDS: &[&str] = &["permit", "aifc-sandbox", "info-system"];
    let is_kind = |text: &str| KINDS.iter().copied().find(|kind| *kind == text);
    let kind = section.required(
        notes,
        field("kind", "\"permit\""),
        text_as(is_kind, "\"permit\", \"aifc-sandbox\" or \"info-system\""),
    );
    let tokens_max = match kind {
        Some("aifc-sandbox") => section.required(notes, field("tokens_max", "10000"), integer).map(Some),
        _ => section.optional(notes, field("tokens_max", "10000"), integer),
    };
    let kind = match (kind?, tokens_max) {
        ("aifc-sandbox", tokens_max) => tokens_max.flatten().map(RegimeKind::AifcSandbox),
        (_, Some(Some(_))) => {
            let path = section.path_of("tokens_max");
            notes.add(
                path,
                "only the sandbox has a cap on tokens",
                "take it out, or write kind = \"aifc-sandbox\"",
            );
            None
        }
        ("permit", _) => Some(RegimeKind::Permit),
        _ => Some(RegimeKind::InfoSystem),
    };
    let document_number = section.required(notes, field("document_number", "\"…\""), text);
    let document = required_hash(&mut section, notes, "document");
    let from = section.required(notes, DATE_FROM, day);
    let to = section.required(notes, DATE_TO, day);
    section.finish(notes);
    Some(Regime { kind: kind?, document_number: document_number?, document: document?, from: from?, to: to? })
}

fn read_capital(mut section: Section<'_>, notes: &mut Notes) -> Option<Capital> {
    let attestation = required_hash(&mut section, notes, "attestation");
    let amount_kzt = section.required(notes, field("amount_kzt", "500000000"), integer);
    let to = section.required(notes, DATE_TO, day);
    section.finish(notes);
    Some(Capital { attestation: attestation?, amount_kzt: amount_kzt?, to: to? })
}

fn read_key(mut section: Section<'_>, notes: &mut Notes) -> DraftKey {
    let proof = field("proof", "\"ed25519:<128 hex digits>\"");
    let key = DraftKey {
        path: section.path().to_owned(),
        key: section.required(notes, KEY, text_as(parse_key, "a public key")),
        role: section.required(notes, field("role", "\"registrar\""), word(KEY_ROLES)),
        from: read_from(&mut section, notes),
        to: section.optional(notes, MOMENT_TO, moment),
        certificate: optional_hash(&mut section, notes, "certificate"),
        proof: section.required(notes, proof, text_as(parse_signature, "a signature")),
    };
    section.finish(notes);
    key
}

fn read_peer(mut section: Section<'_>, notes: &mut Notes) -> DraftPeer {
    let peer = DraftPeer {
        path: section.path().to_owned(),
        key: section.required(notes, KEY, text_as(parse_key, "a public key")),
        kind: section.required(notes, field("kind", "\"validator\""), word(PEER_KINDS)),
        from: read_from(&mut section, notes),
        to: section.optional(notes, MOMENT_TO, moment),
    };
    section.finish(notes);
    peer
}

fn read_accreditation(mut section: Section<'_>, notes: &mut Notes) -> DraftAccreditation {
    let level = |value: &DeValue<'_>| {
        let number: u8 = integer(value)?;
        Level::new(number).ok_or_else(|| format!("a level is 5 to 8, not {number}"))
    };
    let accreditation = DraftAccreditation {
        path: section.path().to_owned(),
        programme: section.required(
            notes,
            field("programme", "\"6B06101\""),
            text_as(Programme::new, "a programme code (1 to 16 of A-Z, 0-9)"),
        ),
        level: section.required(notes, field("level", "6"), level),
        from: section.required(notes, DATE_FROM, day),
        to: section.required(notes, DATE_TO, day),
        recorded_by: section.required(notes, field("recorded_by", "\"<12 digits>\""), bin),
    };
    section.finish(notes);
    accreditation
}

fn read_validator(mut section: Section<'_>, notes: &mut Notes) -> DraftValidator {
    let validator = DraftValidator {
        path: section.path().to_owned(),
        bin: section.required(notes, BIN, bin),
        key: section.required(notes, KEY, text_as(parse_key, "a public key")),
    };
    section.finish(notes);
    validator
}

fn bin(value: &DeValue<'_>) -> Result<Bin, String> {
    let DeValue::String(text) = value else {
        return Err(format!("a BIN is a text of 12 digits, not {}", reader::kind_of(value)));
    };
    Bin::parse(text).map_err(|error| match error {
        BinError::Digits => format!("a BIN has 12 digits, {text:?} has not"),
        BinError::Control => format!("the control digit of BIN {text} is wrong: a digit is mistyped"),
    })
}

fn read_from(section: &mut Section<'_>, notes: &mut Notes) -> Option<Timestamp> {
    section.optional(notes, MOMENT_FROM, moment).map(|from| from.unwrap_or(Timestamp(0)))
}

/// A hash that a devnet may leave out; it is zero then.
fn optional_hash(section: &mut Section<'_>, notes: &mut Notes, name: &'static str) -> Option<Hash> {
    let hash = section.optional(notes, field(name, HASH_EXAMPLE), text_as(parse_hash, "64 hex digits"));
    hash.map(|hash| hash.unwrap_or(Hash::ZERO))
}

fn required_hash(section: &mut Section<'_>, notes: &mut Notes, name: &'static str) -> Option<Hash> {
    section.required(notes, field(name, HASH_EXAMPLE), text_as(parse_hash, "64 hex digits"))
}
