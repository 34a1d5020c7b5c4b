//! How a check of a signature is told: the verdict with its reason and the next step, then who vouches for whom. Serials,
//! roles and the authorities' names; nothing of a person.

use std::{
    io::{self, Write},
    path::Path,
};

use serde::Serialize;
use tanba_eds::{
    Error, Proof, Realm, Report, Time, Verdict,
    check::{Link, SignerReport, What},
    crl::Reason,
    ocsp::Status,
};

use super::super::{
    Exit,
    output::{counted, visible},
};

/// The object of `tanba.eds.check.v1`.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    file: String,
    verdict: &'static str,
    code: &'static str,
    reason: Option<String>,
    next_step: Option<&'static str>,
    exit: u8,
    kind: Option<&'static str>,
    at: String,
    realm: Option<&'static str>,
    chain: Vec<LinkTold>,
    revocation: Option<ProofTold>,
    signers: Vec<SignerTold>,
    answers: Vec<AnswerTold>,
    made_at: Option<String>,
    listed: Option<usize>,
    content_compared: bool,
}

#[derive(Debug, Serialize)]
struct LinkTold {
    serial: String,
    role: &'static str,
    signs_documents: bool,
    issuer: Option<String>,
    not_before: String,
    not_after: String,
}

#[derive(Debug, Serialize)]
struct ProofTold {
    by: &'static str,
    made_at: Option<String>,
    number: Option<u64>,
}

#[derive(Debug, Serialize)]
struct SignerTold {
    signed_at: String,
    stamped_at: Option<String>,
    revocation: ProofTold,
    chain: Vec<LinkTold>,
}

#[derive(Debug, Serialize)]
struct AnswerTold {
    serial: String,
    status: &'static str,
    since: Option<String>,
    reason: Option<&'static str>,
}

impl Told {
    pub(super) fn of(path: &Path, report: &Report, at: Time, exit: Exit) -> Told {
        let (verdict, error) = match report.verdict {
            Verdict::Valid => ("valid", None),
            Verdict::Invalid(error) => ("invalid", Some(error)),
            Verdict::Undetermined(error) => ("undetermined", Some(error)),
        };
        let compared = match report.what {
            // A message is valid only with its content.
            Some(What::Message) => report.verdict == Verdict::Valid,
            Some(What::TimeStamp) => report.compared,
            Some(What::Certificate | What::RevocationList | What::Answer) | None => false,
        };
        Told {
            file: path.display().to_string(),
            verdict,
            code: report.verdict.code(),
            reason: error.map(|error| error.to_string()),
            next_step: error.map(next_step),
            exit: exit.code(),
            kind: report.what.map(What::name),
            at: at.to_string(),
            realm: report.realm.map(realm),
            chain: report.chain.iter().map(LinkTold::of).collect(),
            revocation: report.revocation.map(ProofTold::of),
            signers: report.signers.iter().map(SignerTold::of).collect(),
            answers: report.answers.iter().map(|(serial, status)| AnswerTold::of(serial, *status)).collect(),
            made_at: report.made_at.map(|time| time.to_string()),
            listed: report.listed,
            content_compared: compared,
        }
    }

    /// For people.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.sentence())?;
        if let Some(next_step) = self.next_step {
            writeln!(out, "next: {next_step}")?;
        }
        if let Some(made_at) = &self.made_at {
            writeln!(out, "  {:14} {made_at}", "made")?;
        }
        if let Some(listed) = self.listed {
            writeln!(out, "  {:14} {}", "lists", counted(listed as u64, "certificate", "certificates"))?;
        }
        for AnswerTold { serial, status, since, reason } in &self.answers {
            let since = since.as_ref().map(|since| format!(" since {since}")).unwrap_or_default();
            let reason = reason.map(|reason| format!(", {reason}")).unwrap_or_default();
            writeln!(out, "  {:14} {serial}: {status}{since}{reason}", "answers")?;
        }
        if self.kind == Some(What::TimeStamp.name()) && !self.content_compared {
            writeln!(out, "  {:14} not compared: name it with --content", "content")?;
        }
        for (n, signer) in self.signers.iter().enumerate() {
            writeln!(out, "\nSignature {} of {}", n + 1, self.signers.len())?;
            writeln!(out, "  {:14} {}, by its own word", "signed", signer.signed_at)?;
            if let Some(stamped_at) = &signer.stamped_at {
                writeln!(out, "  {:14} {stamped_at}, by the time-stamp service", "stamped")?;
            }
            writeln!(out, "  {:14} {}", "not revoked", signer.revocation.words())?;
            signer.chain.iter().try_for_each(|link| link.write(out))?;
        }
        if !self.chain.is_empty() {
            writeln!(
                out,
                "\n{}",
                if self.kind == Some("message") { "Named, not believed" } else { "Chain" }
            )?;
            self.chain.iter().try_for_each(|link| link.write(out))?;
        }
        match &self.revocation {
            Some(proof) => writeln!(out, "  {:14} {}", "not revoked", proof.words()),
            None => Ok(()),
        }
    }

    fn sentence(&self) -> String {
        let kind = self.kind.unwrap_or("file").replace('-', " ");
        let at = &self.at;
        match &self.reason {
            None if self.realm == Some(realm(Realm::Test)) => {
                format!("Valid (devnet, without legal force): {kind}, as of {at}")
            }
            None => format!("Valid: {kind}, as of {at}"),
            Some(reason) => {
                let word = if self.verdict == "invalid" { "Invalid" } else { "Not determined" };
                format!("{word} ({}): {kind}, as of {at}: {reason}", self.code)
            }
        }
    }
}

impl LinkTold {
    fn of(link: &Link) -> LinkTold {
        LinkTold {
            serial: link.serial.to_string(),
            role: link.role.map_or("unclear", |role| role.name()),
            signs_documents: link.signs_documents,
            issuer: link.issuer.as_deref().map(visible),
            not_before: link.validity.0.to_string(),
            not_after: link.validity.1.to_string(),
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let LinkTold { serial, role, not_before, not_after, .. } = self;
        let signs = if self.signs_documents { ", signs documents" } else { "" };
        writeln!(out, "  {:14} {role}{signs}, {not_before} to {not_after}", "certificate")?;
        writeln!(out, "  {:14} {serial}", "")?;
        match &self.issuer {
            Some(issuer) => writeln!(out, "  {:14} {issuer}", "issued by"),
            None => Ok(()),
        }
    }
}

impl ProofTold {
    fn of(proof: Proof) -> ProofTold {
        let (by, made_at, number) = match proof {
            Proof::Crl(made_at, number) => ("list", Some(made_at), number),
            Proof::DeltaCrl(made_at, number) => ("delta-list", Some(made_at), number),
            Proof::Ocsp(made_at) => ("answer", Some(made_at), None),
            Proof::Pinned => ("named-by-caller", None, None),
        };
        ProofTold { by, made_at: made_at.map(|time| time.to_string()), number }
    }

    fn words(&self) -> String {
        let number = self.number.map(|number| format!(" {number}")).unwrap_or_default();
        match &self.made_at {
            Some(made_at) => format!("{}{number} of {made_at}", self.by.replace('-', " ")),
            None => "its certificate is in the folder named".to_owned(),
        }
    }
}

impl SignerTold {
    fn of(signer: &SignerReport) -> SignerTold {
        SignerTold {
            signed_at: signer.signed_at.to_string(),
            stamped_at: signer.stamped_at.map(|time| time.to_string()),
            revocation: ProofTold::of(signer.revocation),
            chain: signer.chain.iter().map(LinkTold::of).collect(),
        }
    }
}

impl AnswerTold {
    fn of(serial: &tanba_eds::Serial, status: Status) -> AnswerTold {
        let serial = serial.to_string();
        match status {
            Status::Good => AnswerTold { serial, status: "good", since: None, reason: None },
            Status::Unknown => AnswerTold { serial, status: "unknown", since: None, reason: None },
            Status::Revoked(since, why) => {
                let (since, why) = (Some(since.to_string()), Some(word(why)));
                AnswerTold { serial, status: "revoked", since, reason: why }
            }
        }
    }
}

fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::Unspecified => "unspecified",
        Reason::KeyCompromise => "key-compromise",
        Reason::AuthorityCompromise => "authority-compromise",
        Reason::AffiliationChanged => "affiliation-changed",
        Reason::Superseded => "superseded",
        Reason::CessationOfOperation => "cessation-of-operation",
        Reason::Hold => "hold",
        Reason::PrivilegeWithdrawn => "privilege-withdrawn",
    }
}

fn realm(realm: Realm) -> &'static str {
    match realm {
        Realm::Production => "production",
        Realm::Test => "test",
    }
}

/// What to do about it.
fn next_step(error: Error) -> &'static str {
    use Error::*;
    match error {
        RevocationUnknown | CrlStale | CrlNotYetValid | OcspStale | OcspNotYetValid | OcspUnknown => {
            "hand in a revocation list (--crl) or an answer (--ocsp) of its issuer that holds at this moment"
        }
        CmsContentMissing => "name what was signed with --content",
        CmsContentDiffers | CmsDigest | TimeStampImprint => {
            "get the content that was signed: the one at hand is another"
        }
        ChainIssuerUnknown | ChainKeyId => {
            "name with --roots a folder that holds the certificates of its authorities"
        }
        ChainTestRoot => {
            "put the national root above it into the folder; add --devnet only if this is about a devnet"
        }
        CertificateExpired | CertificateNotYetValid | SigningTimeFuture | TimeStampOrder => {
            "if another moment counts, name it with --at"
        }
        Revoked => "ask for a signature by a certificate that is in force",
        FileUnknown | Pem | DerTruncated | DerTrailing | Ber => {
            "check that this is the right file, and that it arrived whole"
        }
        _ => "do not rely on it; ask whoever made it for another",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_more_evidence_could_mend_says_which() {
        let more = |error: &&Error| error.is_lack_of_evidence();
        for error in Error::ALL.iter().filter(more) {
            assert!(next_step(*error).contains("--"), "{error:?} names a flag");
        }
        assert!(next_step(Error::CmsSignature).starts_with("do not rely on it"));
    }
}
