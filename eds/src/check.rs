//! A file of any of the five kinds, checked in one call, and what there is to tell about it: for a command line or a
//! page. Nothing in the report is a person's data.

use std::borrow::Cow;

use crate::{
    Certificate, Chain, Context, Crl, Error, Proof, Realm, Response, Role, Serial, Signed, SignedData, Time,
    TimeStamp, Vouched,
    cms::SIGNERS_MAX,
    der::{self, tag},
    ocsp, oid, pem, tsp,
};

/// What to check, and against what.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The file: DER, or one PEM block.
    pub file: &'a [u8],
    /// What was signed or stamped, if it lies apart.
    pub content: Option<&'a [u8]>,
    /// The nonce of the request that the file answers, if the caller kept it.
    pub nonce: Option<&'a [u8]>,
    /// Trust, evidence, moment and policy.
    pub context: Context<'a>,
}

/// The kinds of files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// A certificate.
    Certificate,
    /// A signed message.
    Message,
    /// A revocation list.
    RevocationList,
    /// An answer about revocation.
    Answer,
    /// A time stamp.
    TimeStamp,
}

impl What {
    /// Its word in reports.
    pub fn name(self) -> &'static str {
        match self {
            What::Certificate => "certificate",
            What::Message => "message",
            What::RevocationList => "revocation-list",
            What::Answer => "revocation-answer",
            What::TimeStamp => "time-stamp",
        }
    }
}

/// The one answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Everything was shown.
    Valid,
    /// This was shown to be wrong.
    Invalid(Error),
    /// Nothing was shown to be wrong, but this is missing. Not valid.
    Undetermined(Error),
}

impl Verdict {
    /// `valid`, or the error's code.
    pub fn code(self) -> &'static str {
        match self {
            Verdict::Valid => "valid",
            Verdict::Invalid(error) | Verdict::Undetermined(error) => error.code(),
        }
    }
}

/// A certificate in a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// Its number.
    pub serial: Serial,
    /// Its role; `None` if it names several.
    pub role: Option<Role>,
    /// Whether its holder may sign documents with it.
    pub signs_documents: bool,
    /// The common name of its issuer, an authority; `None` for one that no chain leads to.
    pub issuer: Option<String>,
    /// From when to when it is valid.
    pub validity: (Time, Time),
}

/// A signature in a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignerReport {
    /// Whose it is, and the authorities above.
    pub chain: Vec<Link>,
    /// When the signer says it was made.
    pub signed_at: Time,
    /// When it existed at the latest, by a service's word.
    pub stamped_at: Option<Time>,
    /// What shows that its certificate was not revoked.
    pub revocation: Proof,
}

/// What there is to tell about a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The one answer.
    pub verdict: Verdict,
    /// The kind, if it was recognised.
    pub what: Option<What>,
    /// A certificate and the authorities above it: of the certificate, the list's or answer's authority, the stamp's
    /// service. The certificate alone where no chain was found. Of a message that fails, the certificates its signers
    /// name, unchecked.
    pub chain: Vec<Link>,
    /// For what the root vouches, where a chain was found; of a message, for a test if any of its chains does.
    pub realm: Option<Realm>,
    /// What shows that the first of the chain was not revoked.
    pub revocation: Option<Proof>,
    /// The signatures of a message; none unless all hold.
    pub signers: Vec<SignerReport>,
    /// What an answer says of which numbers.
    pub answers: Vec<(Serial, ocsp::Status)>,
    /// When a list or answer was made, or the moment a stamp vouches for.
    pub made_at: Option<Time>,
    /// How many certificates a list holds.
    pub listed: Option<usize>,
    /// Whether a stamp was compared with the content it is of.
    pub compared: bool,
}

/// Checks a file.
pub fn check(request: &Request<'_>) -> Report {
    let mut report = Report {
        verdict: Verdict::Valid,
        what: None,
        chain: Vec::new(),
        realm: None,
        revocation: None,
        signers: Vec::new(),
        answers: Vec::new(),
        made_at: None,
        listed: None,
        compared: false,
    };
    if let Err(error) = check_into(request, &mut report) {
        let is_open = error.is_lack_of_evidence();
        report.verdict = if is_open { Verdict::Undetermined(error) } else { Verdict::Invalid(error) };
    }
    report
}

fn check_into(request: &Request<'_>, report: &mut Report) -> Result<(), Error> {
    let (label, file) = open(request.file)?;
    let what = recognise(&file)?;
    report.what = Some(what);
    if label.is_some_and(|label| !labels(what).contains(&label)) {
        return Err(Error::Pem);
    }
    let context = &request.context;
    match what {
        What::Certificate => {
            let certificate = Certificate::from_der(&file)?;
            // Told even if it turns out to be revoked: the way up, as far as there is one.
            let chain = Chain::build(&certificate, context.trust, context.at);
            report.chain = links(&certificate, chain.as_ref().map_or(&[], Chain::issuers));
            report.realm = chain.as_ref().map(Chain::realm).ok();
            report.revocation = Some(context.revocation(&certificate, &chain?)?);
            certificate.role()?;
        }
        What::Message => check_message(request, &SignedData::from_bytes(&file)?, report)?,
        What::RevocationList => {
            let crl = Crl::from_der(&file)?;
            report.made_at = Some(crl.updates().0);
            report.listed = Some(crl.len());
            report.set_vouched(context.crl(&crl)?);
        }
        What::Answer => {
            let response = Response::from_der(&file)?;
            report.made_at = Some(response.produced_at());
            report.set_vouched(context.ocsp(&response, request.nonce)?);
            let answers = response.answers().iter();
            report.answers = answers.map(|answer| (answer.serial.clone(), answer.status)).collect();
        }
        What::TimeStamp => {
            let stamp = TimeStamp::from_bytes(&file)?;
            report.made_at = Some(stamp.time());
            if let Some(content) = request.content {
                stamp.check_imprint(content)?;
                report.compared = true;
            }
            request.nonce.map_or(Ok(()), |nonce| stamp.check_nonce(nonce))?;
            report.set_vouched(context.time_stamp(&stamp)?);
        }
    }
    Ok(())
}

fn check_message(request: &Request<'_>, message: &SignedData, report: &mut Report) -> Result<(), Error> {
    let named = message.signers().iter().filter_map(|signer| message.certificate_of(signer).ok());
    report.chain = named.map(|certificate| link(certificate, None)).collect();
    let signed = request.context.message(message, request.content, SIGNERS_MAX)?;
    report.chain.clear();
    report.realm = realm_of(&signed);
    report.signers = signed
        .into_iter()
        .map(|signed| SignerReport {
            chain: links(&signed.signer.certificate, signed.signer.chain.issuers()),
            signed_at: signed.time,
            stamped_at: signed.stamp.map(|(time, _)| time),
            revocation: signed.signer.proof,
        })
        .collect();
    Ok(())
}

/// Production only if every chain ends there, those of stamps included.
fn realm_of(signed: &[Signed<'_>]) -> Option<Realm> {
    let stamps = signed.iter().filter_map(|signed| signed.stamp.as_ref().map(|(_, service)| service));
    let mut all = signed.iter().map(|signed| &signed.signer).chain(stamps);
    let is_test = all.any(|vouched| vouched.chain.realm() == Realm::Test);
    Some(if is_test { Realm::Test } else { Realm::Production }).filter(|_| !signed.is_empty())
}

impl Report {
    fn set_vouched(&mut self, vouched: Vouched<'_>) {
        self.chain = links(&vouched.certificate, vouched.chain.issuers());
        self.realm = Some(vouched.chain.realm());
        self.revocation = Some(vouched.proof);
    }
}

fn links(certificate: &Certificate, issuers: &[&Certificate]) -> Vec<Link> {
    let own = std::iter::once(certificate).chain(issuers.iter().copied());
    own.enumerate().map(|(n, certificate)| link(certificate, issuers.get(n).copied())).collect()
}

fn link(certificate: &Certificate, issuer: Option<&Certificate>) -> Link {
    Link {
        serial: certificate.serial().clone(),
        role: certificate.role().ok(),
        signs_documents: certificate.check_may_sign().is_ok(),
        issuer: issuer.and_then(|issuer| issuer.subject().value(&oid::COMMON_NAME)).map(str::to_owned),
        validity: certificate.validity(),
    }
}

/// The bytes of a file, out of its text form if it has one, with the label there.
pub fn open(file: &[u8]) -> Result<(Option<&str>, Cow<'_, [u8]>), Error> {
    if !pem::is_pem(file) {
        return Ok((None, Cow::Borrowed(file)));
    }
    let (label, bytes) = pem::decode(file)?;
    Ok((Some(label), Cow::Owned(bytes)))
}

/// The labels a kind may have (RFC 7468).
fn labels(what: What) -> &'static [&'static str] {
    match what {
        What::Certificate => &["CERTIFICATE"],
        What::Message | What::TimeStamp => &["CMS", "PKCS7"],
        What::RevocationList => &["X509 CRL"],
        What::Answer => &["OCSP RESPONSE"],
    }
}

/// The kind, by the first values in it.
fn recognise(bytes: &[u8]) -> Result<What, Error> {
    // An indefinite length is a message's or nobody's.
    let is_message =
        |bytes: &[u8]| bytes.starts_with(&[&[tag::OID, 9], oid::CONTENT_SIGNED.content()].concat());
    if bytes.starts_with(&[tag::SEQUENCE, 0x80]) || content(bytes, tag::SEQUENCE).is_some_and(is_message) {
        let message = SignedData::from_bytes(bytes)?;
        let is_stamp = message.content_type() == oid::CONTENT_TIME_STAMP;
        return Ok(if is_stamp { What::TimeStamp } else { What::Message });
    }
    if tsp::is_response(bytes) {
        return Ok(What::TimeStamp);
    }
    let inside = content(bytes, tag::SEQUENCE).ok_or(Error::FileUnknown)?;
    match inside.first() {
        Some(&tag::ENUMERATED) => Ok(What::Answer),
        Some(&tag::SEQUENCE) => match content(inside, tag::SEQUENCE).and_then(|signed| signed.first()) {
            Some(&tag::INTEGER) => Ok(What::RevocationList),
            Some(_) => Ok(What::Certificate),
            None => Err(Error::FileUnknown),
        },
        _ => Err(Error::FileUnknown),
    }
}

/// What follows the header of a value of `tag`.
fn content(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (found, header, _) = der::header(bytes).ok()?;
    bytes.get(header..).filter(|_| found == tag)
}
