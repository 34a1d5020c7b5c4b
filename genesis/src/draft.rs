//! A genesis with holes: what could be read of a file. Checks run over it, so that one unreadable value hides no
//! other mistake; only a draft without holes becomes a [`Genesis`].
//!
//! A field is `None` where its value could not be read (and a mistake was noted); an optional value that is
//! absent is `Some(None)`.

use tanba_crypto::{Hash, PublicKey, Signature};
use tanba_ledger::{
    Bin, Day, Level, Programme, Scope, Timestamp, Validator,
    record::{
        Accreditation, Capital, Institution, InstitutionRole, InstitutionState, KeyRecord, KeyRole, Names,
        NetworkKind, Params, Peer, PeerKind, Regime,
    },
};

use crate::{Genesis, Member, MemberKey};

pub(crate) struct Draft {
    pub(crate) network: Option<String>,
    pub(crate) kind: Option<NetworkKind>,
    pub(crate) time: Option<Timestamp>,
    pub(crate) params: DraftParams,
    pub(crate) members: Vec<DraftMember>,
    pub(crate) validators: Vec<DraftValidator>,
}

#[derive(Default)]
pub(crate) struct DraftParams {
    pub(crate) heartbeat_ms: Option<u64>,
    pub(crate) officer_delay_ms: Option<u64>,
    pub(crate) factors_min: Option<u16>,
    pub(crate) issued_daily_max: Option<u32>,
    pub(crate) changed_daily_max: Option<u32>,
    pub(crate) territory: Option<Hash>,
}

pub(crate) struct DraftMember {
    /// Where the section stands: `institutions[3]`.
    pub(crate) path: String,
    pub(crate) bin: Option<Bin>,
    pub(crate) role: Option<InstitutionRole>,
    pub(crate) names: Option<Names>,
    pub(crate) hosting: Option<Hash>,
    pub(crate) regime: Option<Option<Regime>>,
    pub(crate) capital: Option<Option<Capital>>,
    pub(crate) keys: Vec<DraftKey>,
    pub(crate) peers: Vec<DraftPeer>,
    pub(crate) accreditations: Vec<DraftAccreditation>,
}

pub(crate) struct DraftKey {
    pub(crate) path: String,
    pub(crate) key: Option<PublicKey>,
    pub(crate) role: Option<KeyRole>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Option<Timestamp>>,
    pub(crate) certificate: Option<Hash>,
    pub(crate) proof: Option<Signature>,
}

pub(crate) struct DraftPeer {
    pub(crate) path: String,
    pub(crate) key: Option<PublicKey>,
    pub(crate) kind: Option<PeerKind>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Option<Timestamp>>,
}

pub(crate) struct DraftAccreditation {
    pub(crate) path: String,
    pub(crate) programme: Option<Programme>,
    pub(crate) level: Option<Level>,
    pub(crate) from: Option<Day>,
    pub(crate) to: Option<Day>,
    pub(crate) recorded_by: Option<Bin>,
}

pub(crate) struct DraftValidator {
    pub(crate) path: String,
    pub(crate) bin: Option<Bin>,
    pub(crate) key: Option<PublicKey>,
}

impl Draft {
    /// The genesis, its lists in canonical order; `None` if there is a hole.
    pub(crate) fn finish(self) -> Option<Genesis> {
        let mut genesis = Genesis {
            network: self.network?,
            time: self.time?,
            params: self.params.finish(self.kind?)?,
            members: self.members.into_iter().map(DraftMember::finish).collect::<Option<_>>()?,
            validators: self
                .validators
                .into_iter()
                .map(|v| Some(Validator { bin: v.bin?, key: v.key? }))
                .collect::<Option<_>>()?,
        };
        genesis.sort();
        Some(genesis)
    }
}

impl DraftParams {
    fn finish(self, kind: NetworkKind) -> Option<Params> {
        Some(Params {
            kind,
            heartbeat_ms: self.heartbeat_ms?,
            officer_delay_ms: self.officer_delay_ms?,
            factors_min: self.factors_min?,
            issued_daily_max: self.issued_daily_max?,
            changed_daily_max: self.changed_daily_max?,
            territory: self.territory?,
        })
    }
}

impl DraftMember {
    pub(crate) fn finish(self) -> Option<Member> {
        let institution = Institution {
            bin: self.bin?,
            names: self.names?,
            role: self.role?,
            regime: self.regime?,
            capital: self.capital?,
            hosting: self.hosting?,
            state: InstitutionState::Active,
            successor: None,
            peers: self.peers.into_iter().map(DraftPeer::finish).collect::<Option<_>>()?,
        };
        Some(Member {
            institution,
            keys: self.keys.into_iter().map(DraftKey::finish).collect::<Option<_>>()?,
            accreditations: self
                .accreditations
                .into_iter()
                .map(DraftAccreditation::finish)
                .collect::<Option<_>>()?,
        })
    }
}

impl DraftKey {
    fn finish(self) -> Option<MemberKey> {
        let record =
            KeyRecord { role: self.role?, from: self.from?, to: self.to?, certificate: self.certificate? };
        Some(MemberKey { key: self.key?, record, proof: self.proof? })
    }
}

impl DraftPeer {
    fn finish(self) -> Option<Peer> {
        Some(Peer { key: self.key?, kind: self.kind?, from: self.from?, to: self.to? })
    }
}

impl DraftAccreditation {
    fn finish(self) -> Option<(Scope, Accreditation)> {
        let scope = Scope { programme: self.programme?, level: self.level? };
        Some((scope, Accreditation { from: self.from?, to: self.to?, recorded_by: self.recorded_by? }))
    }
}

impl From<&Genesis> for Draft {
    fn from(genesis: &Genesis) -> Draft {
        let params = &genesis.params;
        Draft {
            network: Some(genesis.network.clone()),
            kind: Some(params.kind),
            time: Some(genesis.time),
            params: DraftParams {
                heartbeat_ms: Some(params.heartbeat_ms),
                officer_delay_ms: Some(params.officer_delay_ms),
                factors_min: Some(params.factors_min),
                issued_daily_max: Some(params.issued_daily_max),
                changed_daily_max: Some(params.changed_daily_max),
                territory: Some(params.territory),
            },
            members: numbered("institutions", &genesis.members, DraftMember::of),
            validators: numbered("validators", &genesis.validators, |path, validator| DraftValidator {
                path,
                bin: Some(validator.bin),
                key: Some(validator.key),
            }),
        }
    }
}

impl DraftMember {
    fn of(path: String, member: &Member) -> DraftMember {
        let institution = &member.institution;
        DraftMember {
            bin: Some(institution.bin),
            role: Some(institution.role),
            names: Some(institution.names.clone()),
            hosting: Some(institution.hosting),
            regime: Some(institution.regime.clone()),
            capital: Some(institution.capital),
            keys: numbered(&format!("{path}.keys"), &member.keys, |path, key| DraftKey {
                path,
                key: Some(key.key),
                role: Some(key.record.role),
                from: Some(key.record.from),
                to: Some(key.record.to),
                certificate: Some(key.record.certificate),
                proof: Some(key.proof),
            }),
            peers: numbered(&format!("{path}.peers"), &institution.peers, |path, peer| DraftPeer {
                path,
                key: Some(peer.key),
                kind: Some(peer.kind),
                from: Some(peer.from),
                to: Some(peer.to),
            }),
            accreditations: numbered(
                &format!("{path}.accreditations"),
                &member.accreditations,
                |path, (scope, accreditation)| DraftAccreditation {
                    path,
                    programme: Some(scope.programme.clone()),
                    level: Some(scope.level),
                    from: Some(accreditation.from),
                    to: Some(accreditation.to),
                    recorded_by: Some(accreditation.recorded_by),
                },
            ),
            path,
        }
    }
}

fn numbered<T, D>(list: &str, items: &[T], draft: impl Fn(String, &T) -> D) -> Vec<D> {
    items.iter().enumerate().map(|(i, item)| draft(format!("{list}[{i}]"), item)).collect()
}
