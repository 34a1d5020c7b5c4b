//! What a certificate's holder may do, by the purposes the national authority gives it.

use crate::{Bin, Certificate, Error, Iin, Oid, oid};

/// What a certificate is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It issues certificates.
    Authority,
    /// A natural person.
    Person,
    /// Somebody, or something, of a legal entity.
    Entity(Office),
    /// A client of the treasury, of a legal entity.
    Treasury,
    /// Staff of the national authority.
    Staff,
    /// Identification and digital identity.
    Identification,
    /// A service that stamps time (RFC 3161).
    TimeStamping,
    /// A service that answers about revocation (RFC 6960).
    OcspResponder,
    /// None of these: it proves nobody's right to anything.
    Other,
}

/// A place in a legal entity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Office {
    /// Its head.
    Head,
    /// Who has the right to sign for it.
    Signer,
    /// Who has the right to sign its financial documents.
    Finance,
    /// Its personnel department.
    Personnel,
    /// An employee, without the right to sign for it.
    Employee,
    /// An information system of it.
    System,
}

impl Office {
    /// Whether what is signed is signed for the entity: by its head, or by who has the right to sign.
    pub fn signs_for_entity(self) -> bool {
        match self {
            Office::Head | Office::Signer => true,
            Office::Finance | Office::Personnel | Office::Employee | Office::System => false,
        }
    }
}

const OFFICES: [(Oid, Office); 6] = [
    (oid::ROLE_HEAD, Office::Head),
    (oid::ROLE_SIGNER, Office::Signer),
    (oid::ROLE_FINANCE, Office::Finance),
    (oid::ROLE_PERSONNEL, Office::Personnel),
    (oid::ROLE_EMPLOYEE, Office::Employee),
    (oid::ROLE_SYSTEM, Office::System),
];

impl Role {
    /// The one role of a certificate. Two at once are an error: a right must not hang on the order of a list.
    pub(crate) fn of(certificate: &Certificate) -> Result<Role, Error> {
        let extensions = certificate.extensions();
        if extensions.basic_constraints.is_some_and(|constraints| constraints.is_authority) {
            return Ok(Role::Authority);
        }
        let has = |oid: &Oid| extensions.purposes.contains(oid);
        let has_below = |arc: &Oid| extensions.purposes.iter().any(|oid| oid.is_below(arc));
        let offices: Vec<Office> =
            OFFICES.iter().filter(|(oid, _)| has(oid)).map(|(_, office)| *office).collect();
        let is_entity = has(&oid::ROLE_ENTITY);
        // An office without its entity is no office.
        if !offices.is_empty() && !is_entity || offices.len() > 1 {
            return Err(Error::RoleUnclear);
        }
        let candidates = [
            (has(&oid::ROLE_PERSON), Role::Person),
            (
                is_entity && offices.len() == 1,
                offices.first().map_or(Role::Other, |office| Role::Entity(*office)),
            ),
            (is_entity && has(&oid::ROLE_TREASURY), Role::Treasury),
            (has_below(&oid::ROLE_STAFF_ARC), Role::Staff),
            (has_below(&oid::ROLE_IDENTIFICATION_ARC), Role::Identification),
            (has(&oid::PURPOSE_TIME_STAMPING), Role::TimeStamping),
            (has(&oid::PURPOSE_OCSP), Role::OcspResponder),
        ];
        let mut roles = candidates.into_iter().filter(|(applies, _)| *applies).map(|(_, role)| role);
        match (roles.next(), roles.next()) {
            (Some(role), None) => Ok(role),
            (None, _) => Ok(Role::Other),
            (Some(_), Some(_)) => Err(Error::RoleUnclear),
        }
    }

    /// Its word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Role::Authority => "authority",
            Role::Person => "person",
            Role::Entity(Office::Head) => "entity-head",
            Role::Entity(Office::Signer) => "entity-signer",
            Role::Entity(Office::Finance) => "entity-finance",
            Role::Entity(Office::Personnel) => "entity-personnel",
            Role::Entity(Office::Employee) => "entity-employee",
            Role::Entity(Office::System) => "entity-system",
            Role::Treasury => "treasury",
            Role::Staff => "staff",
            Role::Identification => "identification",
            Role::TimeStamping => "time-stamping",
            Role::OcspResponder => "ocsp-responder",
            Role::Other => "other",
        }
    }
}

/// In whose name a holder acts. None of these asks whether the certificate is to be believed.
impl Certificate {
    /// Checks that it is this natural person's own.
    pub fn check_is_person(&self, iin: &Iin) -> Result<(), Error> {
        if self.role()? != Role::Person {
            return Err(Error::RoleWrong);
        }
        if self.iin()? == Some(*iin) { Ok(()) } else { Err(Error::PersonDiffers) }
    }

    /// Checks that what its holder signs is signed for this legal entity.
    pub fn check_signs_for(&self, bin: &Bin) -> Result<(), Error> {
        let Role::Entity(office) = self.role()? else { return Err(Error::RoleWrong) };
        if self.bin()? != Some(*bin) {
            return Err(Error::EntityDiffers);
        }
        if office.signs_for_entity() { Ok(()) } else { Err(Error::OfficeWithoutRight) }
    }

    /// Checks that it is an information system of this legal entity.
    pub fn check_is_system_of(&self, bin: &Bin) -> Result<(), Error> {
        if self.role()? != Role::Entity(Office::System) {
            return Err(Error::RoleWrong);
        }
        if self.bin()? == Some(*bin) { Ok(()) } else { Err(Error::EntityDiffers) }
    }
}
