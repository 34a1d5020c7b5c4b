//! Where a new genesis file comes from: the join files that institutions hand in, or, without any, a commented
//! sheet to fill in.

use tanba_ledger::{
    Timestamp, Validator,
    record::{InstitutionRole, KeyRole, NetworkKind},
};

use crate::{Genesis, Join, Mistakes, model::default_params, text};

/// Puts a genesis together: the default parameters of its kind, one section per join, and as validators every
/// university with a validator key and a node that votes. Unchecked: what is still missing,
/// [`GenesisDocument`](crate::GenesisDocument) tells.
///
/// Fails if a join was made for another network, since its proofs would not hold here.
pub fn assemble(
    network: &str,
    kind: NetworkKind,
    time: Timestamp,
    joins: Vec<(String, Join)>,
) -> Result<Genesis, Mistakes> {
    let mut genesis = Genesis {
        network: network.to_owned(),
        time,
        params: default_params(kind),
        members: Vec::with_capacity(joins.len()),
        validators: Vec::new(),
    };
    let mut foreign = Vec::new();
    for (file, join) in joins {
        if join.network != network {
            let what = format!("made for network \"{}\", not \"{network}\"", join.network);
            foreign.extend(Mistakes::whole(&file, what, "make it again for this network").0);
            continue;
        }
        let validator_key = join.member.keys.iter().find(|key| key.record.role == KeyRole::Validator);
        if let (Some(key), InstitutionRole::University) = (validator_key, join.member.institution.role) {
            genesis.validators.push(Validator { bin: join.member.bin(), key: key.key });
        }
        genesis.members.push(join.member);
    }
    if !foreign.is_empty() {
        return Err(Mistakes(foreign));
    }
    genesis.sort();
    Ok(genesis)
}

/// A commented sheet for a network nobody has joined yet.
pub fn sheet(network: &str, kind: NetworkKind, time: Timestamp) -> String {
    let genesis = Genesis {
        network: network.to_owned(),
        time,
        params: default_params(kind),
        members: vec![],
        validators: vec![],
    };
    let territory = match kind {
        NetworkKind::Devnet => "",
        NetworkKind::Main => "# territory = \"<SHA-256 of the list of domestic networks>\"\n",
    };
    format!(
        "# Genesis of the {} network \"{network}\". Everyone who signs it checks it with `tanba genesis check`\n\
         # and compares `tanba genesis hash`.\n{}{territory}{SECTIONS}",
        text::word_of(text::KINDS, kind),
        genesis.to_toml(),
    )
}

const SECTIONS: &str = r##"
# One section per institution. `tanba keys prove` prints the sections [[institutions.keys]].
#
# [[institutions]]
# bin = "<12 digits>"
# role = "university"                  # or "regulator"
# names = { kk = "…", ru = "…", en = "…" }
# hosting = "<64 hex digits>"          # commitment to the hosting statement
#
# [institutions.regime]                # universities
# kind = "permit"                      # or "info-system", or "aifc-sandbox" with tokens_max
# document_number = "…"
# document = "<64 hex digits>"
# from = 2026-01-01
# to = 2035-12-31
#
# [[institutions.keys]]
# role = "validator"                   # registrar, approver, admin, document, node, witness
# key = "ed25519:<64 hex digits>"
# certificate = "<64 hex digits>"
# proof = "ed25519:<128 hex digits>"
#
# [[institutions.peers]]               # at most 16; each key is also listed with role = "node"
# key = "ed25519:<64 hex digits>"
# kind = "validator"                   # or "observer"
#
# [[institutions.accreditations]]
# programme = "6B06101"
# level = 6
# from = 2024-01-01
# to = 2029-12-31
# recorded_by = "<BIN of a regulator>"
#
# [[validators]]                       # who decides block 1
# bin = "<12 digits>"
# key = "ed25519:<64 hex digits>"
"##;
