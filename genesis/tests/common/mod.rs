//! A small network to spoil: two universities, two regulators, all keys real.

// Compiled into each test on its own; not every test uses every part.
#![allow(dead_code, unreachable_pub)]

use tanba_crypto::{Hash, SigningKey};
use tanba_genesis::{Genesis, Member, MemberKey, model::default_params};
use tanba_ledger::{
    Bin, Day, Level, Programme, Scope, Timestamp, Validator,
    record::{
        Accreditation, Institution, InstitutionRole, InstitutionState, KeyRole, Names, NetworkKind, Peer,
        PeerKind, Regime, RegimeKind,
    },
};

/// The network's name.
pub const NETWORK: &str = "tanba-test";

/// The `n`-th BIN.
pub fn bin(n: u8) -> Bin {
    Bin::with_control_digit(10_000_000_000 + u64::from(n) * 100).expect("has a control digit")
}

/// The `n`-th key of an institution.
pub fn key(of: u8, n: u8) -> SigningKey {
    SigningKey::ed25519(&[of * 16 + n; 32])
}

/// A devnet of `universities` and two regulators.
pub fn network(kind: NetworkKind, universities: u8) -> Genesis {
    let mut members: Vec<Member> = (1..=universities).map(university).collect();
    members.extend([regulator(14), regulator(15)]);
    let mut params = default_params(kind);
    if kind == NetworkKind::Main {
        params.territory = Hash::plain(b"territory");
    }
    let validators = (1..=universities).map(|n| Validator { bin: bin(n), key: key(n, 5).public() }).collect();
    let time = Timestamp(1_788_220_800_000); // 2026-09-01T00:00:00Z
    let mut genesis = Genesis { network: NETWORK.into(), time, params, members, validators };
    genesis.sort();
    genesis
}

fn university(n: u8) -> Member {
    let regime = Regime {
        kind: RegimeKind::Permit,
        document_number: format!("KZ-{n}"),
        document: Hash::plain(&[n]),
        from: date(2026, 1, 1),
        to: date(2035, 12, 31),
    };
    let scope = Scope {
        programme: Programme::new("6B06101").expect("a code"),
        level: Level::new(6).expect("a level"),
    };
    let accreditation =
        Accreditation { from: date(2024, 1, 1), to: date(2029, 12, 31), recorded_by: bin(14) };
    let peer = Peer { key: key(n, 6).public(), kind: PeerKind::Validator, from: Timestamp(0), to: None };
    Member {
        institution: institution(n, InstitutionRole::University, Some(regime), peer),
        keys: keys(
            n,
            &[
                (1, KeyRole::Registrar),
                (2, KeyRole::Approver),
                (3, KeyRole::Admin),
                (4, KeyRole::Admin),
                (5, KeyRole::Validator),
                (6, KeyRole::Node),
            ],
        ),
        accreditations: vec![(scope, accreditation)],
    }
}

fn regulator(n: u8) -> Member {
    let peer = Peer { key: key(n, 3).public(), kind: PeerKind::Observer, from: Timestamp(0), to: None };
    Member {
        institution: institution(n, InstitutionRole::Regulator, None, peer),
        keys: keys(n, &[(1, KeyRole::Admin), (2, KeyRole::Admin), (3, KeyRole::Node), (4, KeyRole::Witness)]),
        accreditations: vec![],
    }
}

fn institution(n: u8, role: InstitutionRole, regime: Option<Regime>, peer: Peer) -> Institution {
    Institution {
        bin: bin(n),
        names: Names {
            kk: format!("Мекеме {n}"), ru: format!("Учреждение {n}"), en: format!("Body {n}")
        },
        role,
        regime,
        capital: None,
        hosting: Hash::plain(&[n, 1]),
        state: InstitutionState::Active,
        successor: None,
        peers: vec![peer],
    }
}

fn keys(n: u8, roles: &[(u8, KeyRole)]) -> Vec<MemberKey> {
    let proven = |(i, role): &(u8, KeyRole)| {
        MemberKey::proven(NETWORK, bin(n), *role, &key(n, *i), Hash::plain(&[n, *i]))
    };
    let mut keys: Vec<MemberKey> = roles.iter().map(proven).collect();
    keys.sort_by_key(|key| key.key);
    keys
}

fn date(year: u16, month: u8, day: u8) -> Day {
    Day::from_date(year, month, day).expect("a date")
}
