//! A throw-away national authority: root, issuing authority, leaves of every role, revocation lists, answers and time
//! stamps, in the profile and byte order of the real one. For devnets and tests; its certificates are worth what the
//! root that a devnet pins is worth, which outside that devnet is nothing.
//!
//! Keys, numbers and moments are arguments. What is made here is read back by the strict readers before it is given
//! out. [`Template`] is the one place where a certificate's bytes are laid out, so a test can bend what it wants.

mod evidence;
mod message;
mod template;

use std::fmt;

pub use evidence::Listing;
pub use message::Message;
use tanba_crypto::gost::{Layout, SigningKey, VerifyingKey, streebog_256, streebog_512};
pub use template::{Template, name};

use crate::{
    Bin, Certificate, Iin, KeyUsage, Office, Oid, Serial, Time,
    der::write::{self, octets, printable, utf8},
    oid,
};

/// Whom a certificate names, and thereby what it is for.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A natural person.
    Person(Person<'a>),
    /// A person with a place in a legal entity.
    Officer(Person<'a>, Entity<'a>, Office),
    /// A legal entity's information system, under this name.
    System(&'a str, Entity<'a>),
    /// A service that answers about revocation.
    OcspResponder,
    /// A service that stamps time.
    TimeStamping,
}

/// A person's names and number, as the authority writes them. `Debug` shows none of it.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    /// Surname.
    pub surname: &'a str,
    /// Given name.
    pub name: &'a str,
    /// Twelve digits.
    pub iin: Iin,
}

impl fmt::Debug for Person<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person")
    }
}

/// A legal entity's name and number.
#[derive(Clone, Copy, Debug)]
pub struct Entity<'a> {
    /// Its name.
    pub name: &'a str,
    /// Twelve digits.
    pub bin: Bin,
}

/// A certificate with its private key.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The private key.
    pub key: SigningKey,
    /// The certificate of its public half.
    pub certificate: Certificate,
}

/// An authority: a holder whose certificate lets it issue.
#[derive(Clone, Debug)]
pub struct Authority(Holder);

impl Authority {
    /// A root, which issues itself.
    pub fn root(common_name: &str, key: SigningKey, serial: &Serial, validity: (Time, Time)) -> Authority {
        let own = authority_name(common_name);
        let template = authority_template(own.clone(), own, &key, serial, validity, &key.verifying_key());
        let certificate = template.sign(&key);
        Authority(Holder { key, certificate })
    }

    /// An authority under this one.
    pub fn issuing(
        &self,
        common_name: &str,
        key: SigningKey,
        serial: &Serial,
        validity: (Time, Time),
    ) -> Authority {
        let issuer = self.certificate().subject().as_der().to_vec();
        let subject = authority_name(common_name);
        let template =
            authority_template(issuer, subject, &key, serial, validity, &self.0.key.verifying_key());
        let certificate = template.sign(&self.0.key);
        Authority(Holder { key, certificate })
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    /// It as one that signs: an authority may answer about revocation itself.
    pub fn as_holder(&self) -> &Holder {
        &self.0
    }

    /// Issues a certificate to the holder of `key`.
    pub fn issue(
        &self,
        subject: &Subject<'_>,
        key: SigningKey,
        serial: &Serial,
        validity: (Time, Time),
    ) -> Holder {
        let certificate = self.template(subject, &key.verifying_key(), serial, validity).sign(&self.0.key);
        Holder { key, certificate }
    }

    /// What [`Authority::issue`] signs.
    pub fn template(
        &self,
        subject: &Subject<'_>,
        key: &VerifyingKey,
        serial: &Serial,
        validity: (Time, Time),
    ) -> Template {
        let issuer = self.certificate().subject().as_der().to_vec();
        let mut template = Template::new(issuer, subject_name(subject), key, serial, validity);
        let usage = match subject {
            Subject::OcspResponder | Subject::TimeStamping => KeyUsage::DIGITAL_SIGNATURE,
            Subject::Person(_) | Subject::Officer(..) | Subject::System(..) => {
                KeyUsage::DIGITAL_SIGNATURE | KeyUsage::NON_REPUDIATION | KeyUsage::KEY_AGREEMENT
            }
        };
        let purposes: Vec<Vec<u8>> = purposes(subject).iter().map(write::oid).collect();
        let purposes = write::sequence(&[&purposes.concat()]);
        let is_critical = matches!(subject, Subject::TimeStamping);
        template.set(oid::KEY_USAGE, true, write::named_bits(usage));
        template.set(oid::EXTENDED_USAGE, is_critical, purposes);
        template.set_policy(&oid::POLICY_AUTHORITY);
        template.set_keys(key, &self.0.key.verifying_key());
        if matches!(subject, Subject::OcspResponder) {
            template.set(oid::OCSP_NO_CHECK, false, write::null());
        }
        template.set(oid::KEY_STORE, false, write::sequence(&[&write::oid(&oid::KEY_STORE_FILE)]));
        template
    }
}

/// Signs `message` as the national library does: Streebog-512, 512-bit set A, its order of bytes. Without fresh
/// randomness the signature of a message is always the same, which suits throw-away keys.
pub fn sign(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    key.sign(&streebog_512(&[message]), &[]).to_bytes(Layout::National)
}

/// The identifier of a key: 20 bytes.
fn key_identifier(key: &VerifyingKey) -> Vec<u8> {
    streebog_256(&[&key.to_certificate()])[..20].to_vec()
}

/// AlgorithmIdentifier with its NULL.
fn algorithm(oid: &Oid) -> Vec<u8> {
    write::sequence(&[&write::oid(oid), &write::null()])
}

/// `{ signed, algorithm, signature }`: how certificates, lists and answers are wrapped.
fn wrap(signed: &[u8], key: &SigningKey) -> [Vec<u8>; 3] {
    [signed.to_vec(), algorithm(&oid::SIGN_GOST_2015_512), write::bit_string(&sign(key, signed))]
}

/// An Extension.
fn extension(oid: &Oid, is_critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if is_critical { write::truth() } else { Vec::new() };
    write::sequence(&[&write::oid(oid), &critical, &octets(value)])
}

fn authority_name(common_name: &str) -> Vec<u8> {
    name(&[(oid::COMMON_NAME, utf8(common_name)), (oid::COUNTRY, printable("KZ"))])
}

fn authority_template(
    issuer: Vec<u8>,
    subject: Vec<u8>,
    key: &SigningKey,
    serial: &Serial,
    validity: (Time, Time),
    issuer_key: &VerifyingKey,
) -> Template {
    let policy = if issuer == subject { oid::POLICY_ROOT } else { oid::POLICY_AUTHORITY };
    let mut template = Template::new(issuer, subject, &key.verifying_key(), serial, validity);
    template.set(oid::BASIC_CONSTRAINTS, true, write::sequence(&[&write::truth()]));
    let usage = KeyUsage::CERTIFICATES | KeyUsage::REVOCATION_LISTS;
    template.set(oid::KEY_USAGE, true, write::named_bits(usage));
    template.set_policy(&policy);
    template.set_keys(&key.verifying_key(), issuer_key);
    template
}

fn subject_name(subject: &Subject<'_>) -> Vec<u8> {
    let country = (oid::COUNTRY, printable("KZ"));
    let person = |person: &Person<'_>| {
        vec![
            (oid::COMMON_NAME, utf8(&format!("{} {}", person.surname, person.name))),
            (oid::SURNAME, utf8(person.surname)),
            (oid::SERIAL_NUMBER, printable(&format!("IIN{}", person.iin.digits()))),
            country.clone(),
        ]
    };
    let entity = |entity: &Entity<'_>| {
        vec![
            (oid::ORGANISATION, utf8(entity.name)),
            (oid::ORGANISATIONAL_UNIT, utf8(&format!("BIN{}", entity.bin.digits()))),
        ]
    };
    let parts = match subject {
        Subject::Person(one) => person(one),
        Subject::Officer(one, of, _) => [person(one), entity(of)].concat(),
        Subject::System(system, of) => {
            [vec![(oid::COMMON_NAME, utf8(system)), country.clone()], entity(of)].concat()
        }
        Subject::OcspResponder => vec![(oid::COMMON_NAME, utf8("OCSP RESPONDER")), country.clone()],
        Subject::TimeStamping => vec![(oid::COMMON_NAME, utf8("TIME STAMPING")), country.clone()],
    };
    name(&parts)
}

fn purposes(subject: &Subject<'_>) -> Vec<Oid> {
    let office = |office: &Office| match office {
        Office::Head => oid::ROLE_HEAD,
        Office::Signer => oid::ROLE_SIGNER,
        Office::Finance => oid::ROLE_FINANCE,
        Office::Personnel => oid::ROLE_PERSONNEL,
        Office::Employee => oid::ROLE_EMPLOYEE,
        Office::System => oid::ROLE_SYSTEM,
    };
    match subject {
        Subject::Person(_) => vec![oid::PURPOSE_EMAIL, oid::ROLE_PERSON],
        Subject::Officer(_, _, place) => vec![oid::PURPOSE_EMAIL, oid::ROLE_ENTITY, office(place)],
        Subject::System(..) => vec![oid::ROLE_ENTITY, oid::ROLE_SYSTEM],
        Subject::OcspResponder => vec![oid::PURPOSE_OCSP],
        Subject::TimeStamping => vec![oid::PURPOSE_TIME_STAMPING],
    }
}
