//! Names and instants: what stands for a person, a record or a moment wherever the vault writes one down. None is
//! made from personal data; all are drawn at random or counted by who calls.

use std::fmt;

use tanba_crypto::canonical::{Decode, Encode};

/// Makes types of names that are bytes and nothing else: ordered, in canonical bytes, shown as lower-case hex. For this
/// crate and those that keep tables beside it; whoever uses it calls `tanba_crypto` also `bincode`.
#[macro_export]
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident($bytes:literal);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(::tanba_crypto::canonical::Encode, ::tanba_crypto::canonical::Decode)]
        pub struct $name(pub [u8; $bytes]);

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }
    )*};
}

names! {
    /// Names a record: 16 random bytes, never made from what the record holds.
    RecordId(16);
    /// Names an officer, as the enrolment of officers gave it out.
    OfficerId(16);
    /// Names who was shown something: an organisation, by a number of the caller's.
    RecipientId(16);
    /// Names a request in the register: 16 random bytes.
    RequestId(16);
    /// Names a vault, and is bound into everything sealed in it: 32 random bytes, drawn once at its founding.
    VaultId(32);
    /// A salted commitment to an act on paper, such as a court's order.
    ActId(32);
}

/// An instant: seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct Time(pub u64);

impl Time {
    /// So many seconds later; stays at the end of time.
    pub const fn plus_s(self, seconds: u64) -> Time {
        Time(self.0.saturating_add(seconds))
    }

    /// Seconds since `earlier`; 0 if that is later.
    pub const fn since_s(self, earlier: Time) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The number of an epoch key. The first is 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch a vault is founded in.
    pub const FIRST: Epoch = Epoch(1);

    /// The one after.
    pub const fn next(self) -> Epoch {
        Epoch(self.0 + 1)
    }
}

/// What a record is made of. Each part lies under a key of its own, so that each can be destroyed by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// The signed document and the disclosures that name nobody.
    Document,
    /// The disclosures that name the person, with their salts. Without them the document's digests stand for
    /// nothing.
    Identity,
    /// r, r_f and r_g: what ties document and consent to the ledger.
    Opening,
    /// The person's signed consent.
    Consent,
    /// The institution's signature over the document.
    Seal,
}
tanba_crypto::canonical_enum!(Part { 1 = Document, 2 = Identity, 3 = Opening, 4 = Consent, 5 = Seal });

impl Part {
    /// All, in order of their numbers.
    pub const ALL: [Part; 5] = [Part::Document, Part::Identity, Part::Opening, Part::Consent, Part::Seal];

    /// The number in stored bytes; for ever.
    pub const fn number(self) -> u8 {
        match self {
            Part::Document => 1,
            Part::Identity => 2,
            Part::Opening => 3,
            Part::Consent => 4,
            Part::Seal => 5,
        }
    }

    /// Place in [`Part::ALL`].
    pub(crate) const fn index(self) -> usize {
        self.number() as usize - 1
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Document => "document",
            Part::Identity => "identity",
            Part::Opening => "opening",
            Part::Consent => "consent",
            Part::Seal => "seal",
        })
    }
}
