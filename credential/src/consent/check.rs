//! A signed consent against what was prepared: the text first, then who signed it, and whether that is believed.

use tanba_eds::{Bin, Context, Error, Iin, Office, Proof, Role, SignedData, Time, verify::Signed};

use super::{
    form::FormError,
    statement::{Item, Statement},
    terms::Method,
};
use crate::requisites::Date;

/// Bytes of a signed consent: the text, the signers' certificates, time stamps.
pub const CONSENT_BYTES_MAX: usize = 64 * 1024;

/// Officers who witness a signature on paper.
const WITNESSES: usize = 2;

/// What a consent is compared with.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The text that was prepared for this diploma.
    pub statement: &'a Statement,
    /// The graduate's number.
    pub iin: &'a Iin,
    /// Whose information system may speak for a state service; none is believed without it.
    pub service: Option<&'a Bin>,
}

/// A consent that holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    /// When it was signed, by the last signer's word.
    pub signed_at: Time,
    /// When the last signature existed at the latest, by a time-stamping service, if all are stamped.
    pub stamped_at: Option<Time>,
    /// What shows that the signers' certificates were not revoked, one for each.
    pub proofs: Vec<Proof>,
}

/// Why a consent does not hold. No error carries anything of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConsentError {
    /// Above [`CONSENT_BYTES_MAX`].
    #[error("it is longer than {CONSENT_BYTES_MAX} bytes")]
    TooLong,
    /// Not the form: a content that the law asks for is missing, or changed.
    #[error("the signed text is not the consent's form: {0}")]
    Text(#[from] FormError),
    /// The form of something else.
    #[error("the signed text is another one than was prepared: {} differs", .0.name())]
    Differs(Item),
    /// Too few signers, or too many.
    #[error("{found} signed, and {expected} must")]
    Signers {
        /// How many signed.
        found: usize,
        /// How many must.
        expected: usize,
    },
    /// Paper was witnessed by one person twice, or by somebody who cannot be told from the other.
    #[error("the two witnesses are not two people")]
    Witnesses,
    /// A state service is named, and none is believed here.
    #[error("no state service is configured whose word counts")]
    Service,
    /// Signed or brought after its last day (UTC).
    #[error("its term has ended")]
    Ended,
    /// The signatures, certificates or their evidence do not hold.
    #[error(transparent)]
    Eds(#[from] Error),
}

impl ConsentError {
    /// Its code, for ever the same. Those of the signature are [`Error::code`].
    pub fn code(self) -> &'static str {
        match self {
            ConsentError::TooLong => "consent-too-long",
            ConsentError::Text(FormError::Unknown) => "consent-form-unknown",
            ConsentError::Text(FormError::Line { .. }) => "consent-line-missing",
            ConsentError::Text(FormError::Trailing) => "consent-trailing",
            ConsentError::Text(FormError::Value { .. }) => "consent-value",
            ConsentError::Differs(Item::Language) => "consent-other-language",
            ConsentError::Differs(Item::Diploma) => "consent-other-diploma",
            ConsentError::Differs(Item::Operator) => "consent-other-operator",
            ConsentError::Differs(Item::Person) => "consent-other-name",
            ConsentError::Differs(Item::Until) => "consent-other-term",
            ConsentError::Differs(Item::ThirdParties) => "consent-other-third-parties",
            ConsentError::Differs(Item::Abroad) => "consent-other-abroad",
            ConsentError::Differs(Item::Publication) => "consent-other-publication",
            ConsentError::Differs(Item::SmallGroup) => "consent-other-small-group",
            ConsentError::Differs(Item::Method) => "consent-other-method",
            ConsentError::Signers { .. } => "consent-signers",
            ConsentError::Witnesses => "consent-witnesses",
            ConsentError::Service => "consent-service",
            ConsentError::Ended => "consent-ended",
            ConsentError::Eds(error) => error.code(),
        }
    }
}

/// Checks a consent as it came: a CMS with the text inside, signed by whom the method demands.
///
/// # Errors
/// What is cheap and says most comes first: the text before the signatures, the signatures before whose they are.
pub fn check(cms: &[u8], expected: &Expected<'_>, context: &Context<'_>) -> Result<Given, ConsentError> {
    let (message, statement) = read(cms)?;
    if let Some(item) = expected.statement.difference(&statement) {
        return Err(ConsentError::Differs(item));
    }
    check_signers(&message, &statement, Some(expected.iin), expected.service, context)
}

/// The message, and what its text says. Nothing of it is believed yet.
pub(super) fn read(cms: &[u8]) -> Result<(SignedData, Statement), ConsentError> {
    let message = open(cms)?;
    let statement = Statement::from_text(message.content_or(None)?)?;
    Ok((message, statement))
}

pub(super) fn open(cms: &[u8]) -> Result<SignedData, ConsentError> {
    if cms.len() > CONSENT_BYTES_MAX {
        return Err(ConsentError::TooLong);
    }
    Ok(SignedData::from_bytes(cms)?)
}

/// Checks that those signed whom the statement's method demands. Without `iin` any natural person will do.
pub(super) fn check_signers(
    message: &SignedData,
    statement: &Statement,
    iin: Option<&Iin>,
    service: Option<&Bin>,
    context: &Context<'_>,
) -> Result<Given, ConsentError> {
    let expected = match statement.method() {
        Method::Eds | Method::StateService { .. } => 1,
        Method::WitnessedPaper { .. } => WITNESSES,
    };
    let signed = signers(message, expected, context)?;
    match statement.method() {
        Method::Eds => check_person(&signed[0], iin)?,
        Method::StateService { .. } => {
            let service = service.ok_or(ConsentError::Service)?;
            signed[0].signer.certificate.check_is_system_of(service)?;
        }
        Method::WitnessedPaper { .. } => {
            let operator = statement.terms().operator.bin;
            check_witnesses(&signed, &Bin::from_digits(operator.as_str()).expect("12 digits"))?;
        }
    }
    let given = given(&signed);
    let last_day = statement.terms().until;
    let holds = |at: Time| day_of(at).is_some_and(|day| day <= last_day);
    if holds(given.signed_at) && holds(context.at) { Ok(given) } else { Err(ConsentError::Ended) }
}

/// The signatures of a message, if there are as many as must be and all hold.
pub(super) fn signers<'a>(
    message: &SignedData,
    expected: usize,
    context: &Context<'a>,
) -> Result<Vec<Signed<'a>>, ConsentError> {
    let found = message.signers().len();
    if found != expected {
        return Err(ConsentError::Signers { found, expected });
    }
    Ok(context.message(message, None, expected)?)
}

pub(super) fn check_person(signed: &Signed<'_>, iin: Option<&Iin>) -> Result<(), Error> {
    let certificate = &signed.signer.certificate;
    match iin {
        Some(iin) => certificate.check_is_person(iin),
        None if certificate.role()? == Role::Person => Ok(()),
        None => Err(Error::RoleWrong),
    }
}

fn check_witnesses(signed: &[Signed<'_>], operator: &Bin) -> Result<(), ConsentError> {
    let mut people = Vec::with_capacity(signed.len());
    for signed in signed {
        let certificate = &signed.signer.certificate;
        match certificate.role()? {
            Role::Entity(Office::System) => return Err(Error::RoleWrong.into()),
            Role::Entity(_) if certificate.bin()? == Some(*operator) => {}
            Role::Entity(_) => return Err(Error::EntityDiffers.into()),
            _ => return Err(Error::RoleWrong.into()),
        }
        let iin = certificate.iin()?.ok_or(ConsentError::Witnesses)?;
        if people.contains(&iin) {
            return Err(ConsentError::Witnesses);
        }
        people.push(iin);
    }
    Ok(())
}

fn given(signed: &[Signed<'_>]) -> Given {
    let stamps: Option<Vec<Time>> =
        signed.iter().map(|signed| signed.stamp.as_ref().map(|(at, _)| *at)).collect();
    Given {
        signed_at: signed.iter().map(|signed| signed.time).max().expect("somebody signed"),
        stamped_at: stamps.and_then(|stamps| stamps.into_iter().max()),
        proofs: signed.iter().map(|signed| signed.signer.proof).collect(),
    }
}

/// The day of a moment, in UTC.
fn day_of(at: Time) -> Option<Date> {
    at.to_string().get(..10).and_then(Date::parse)
}
