//! Genesis as text: what [`file`](crate::file) reads, in canonical order, for people to read and compare.

use std::fmt::{Display, Write};

use tanba_crypto::Hash;
use tanba_ledger::{
    Timestamp,
    record::{Institution, Params, RegimeKind},
};

use crate::{
    Genesis, Join, Member, MemberKey,
    text::{FACTORS, INSTITUTION_ROLES, KEY_ROLES, KINDS, PEER_KINDS, moment, signature, word_of},
};

impl Genesis {
    /// The TOML text that reads back as this genesis.
    pub fn to_toml(&self) -> String {
        let mut out = Text::default();
        out.line("network", quoted(&self.network));
        out.line("kind", quoted(word_of(KINDS, self.params.kind)));
        out.line("time", moment(self.time));
        out.params(&self.params);
        for member in &self.members {
            out.member(member);
        }
        for validator in &self.validators {
            out.section("[[validators]]");
            out.line("bin", quoted(&validator.bin.to_string()));
            out.line("key", quoted(&validator.key.to_string()));
        }
        out.0
    }
}

impl Join {
    /// The TOML text that [`read_join`](crate::file::read_join) reads.
    pub fn to_toml(&self) -> String {
        let mut out = Text::default();
        out.line("network", quoted(&self.network));
        out.member(&self.member);
        out.0
    }
}

impl MemberKey {
    /// The `[[institutions.keys]]` section that lists this key.
    pub fn to_toml(&self) -> String {
        let mut out = Text::default();
        out.key(self);
        out.0.trim_start().to_owned()
    }
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, key: &str, value: impl Display) {
        writeln!(self.0, "{key} = {value}").expect("writing into memory has no failure of its own");
    }

    fn section(&mut self, header: &str) {
        writeln!(self.0, "\n{header}").expect("writing into memory has no failure of its own");
    }

    fn params(&mut self, params: &Params) {
        self.section("[params]");
        self.line("heartbeat_ms", params.heartbeat_ms);
        self.line("officer_delay_ms", params.officer_delay_ms);
        let factors = FACTORS.iter().filter(|(_, bit)| params.factors_min & bit != 0);
        let factors: Vec<String> = factors.map(|(word, _)| quoted(word)).collect();
        self.line("factors_min", format_args!("[{}]", factors.join(", ")));
        self.line("issued_daily_max", params.issued_daily_max);
        self.line("changed_daily_max", params.changed_daily_max);
        self.hash_unless_zero("territory", params.territory);
    }

    fn member(&mut self, member: &Member) {
        self.section("[[institutions]]");
        self.line("bin", quoted(&member.bin().to_string()));
        self.institution(&member.institution);
        for key in &member.keys {
            self.key(key);
        }
        for peer in &member.institution.peers {
            self.section("[[institutions.peers]]");
            self.line("key", quoted(&peer.key.to_string()));
            self.line("kind", quoted(word_of(PEER_KINDS, peer.kind)));
            self.span(peer.from, peer.to);
        }
        for (scope, accreditation) in &member.accreditations {
            self.section("[[institutions.accreditations]]");
            self.line("programme", quoted(scope.programme.as_str()));
            self.line("level", scope.level.number());
            self.line("from", accreditation.from);
            self.line("to", accreditation.to);
            self.line("recorded_by", quoted(&accreditation.recorded_by.to_string()));
        }
    }

    fn institution(&mut self, institution: &Institution) {
        self.line("role", quoted(word_of(INSTITUTION_ROLES, institution.role)));
        let names = &institution.names;
        let (kk, ru, en) = (quoted(&names.kk), quoted(&names.ru), quoted(&names.en));
        self.line("names", format_args!("{{ kk = {kk}, ru = {ru}, en = {en} }}"));
        self.hash_unless_zero("hosting", institution.hosting);
        if let Some(regime) = &institution.regime {
            self.section("[institutions.regime]");
            match regime.kind {
                RegimeKind::Permit => self.line("kind", quoted("permit")),
                RegimeKind::InfoSystem => self.line("kind", quoted("info-system")),
                RegimeKind::AifcSandbox(tokens_max) => {
                    self.line("kind", quoted("aifc-sandbox"));
                    self.line("tokens_max", tokens_max);
                }
            }
            self.line("document_number", quoted(&regime.document_number));
            self.line("document", quoted(&regime.document.to_string()));
            self.line("from", regime.from);
            self.line("to", regime.to);
        }
        if let Some(capital) = &institution.capital {
            self.section("[institutions.capital]");
            self.line("attestation", quoted(&capital.attestation.to_string()));
            self.line("amount_kzt", capital.amount_kzt);
            self.line("to", capital.to);
        }
    }

    fn key(&mut self, key: &MemberKey) {
        self.section("[[institutions.keys]]");
        self.line("role", quoted(word_of(KEY_ROLES, key.record.role)));
        self.line("key", quoted(&key.key.to_string()));
        self.span(key.record.from, key.record.to);
        self.hash_unless_zero("certificate", key.record.certificate);
        self.line("proof", quoted(&signature(&key.proof)));
    }

    fn span(&mut self, from: Timestamp, to: Option<Timestamp>) {
        if from != Timestamp(0) {
            self.line("from", moment(from));
        }
        if let Some(to) = to {
            self.line("to", moment(to));
        }
    }

    fn hash_unless_zero(&mut self, key: &str, hash: Hash) {
        if hash != Hash::ZERO {
            self.line(key, quoted(&hash.to_string()));
        }
    }
}

/// A TOML text, escaped where it must be.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
