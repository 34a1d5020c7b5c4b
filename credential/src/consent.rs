//! The graduate's consent to one diploma: what is signed, by whom, and how it is shown years later.
//!
//! Before anything is minted the graduate signs a text with the national electronic signature. The text is a form with
//! a version, in Kazakh or in Russian, and has the seven contents that the law on personal data asks for (Law 94-V,
//! article 8(4)): the operator with its BIN, the person's name, the term, third parties, transfer across the border,
//! publication, and the list of data. One text has one spelling: whoever reads it writes it again and compares.
//!
//! It names its diploma by a mark, `SHA-256(tag ‖ r_f ‖ F)`, so a consent serves one diploma and no other. Who has r_f
//! and F can tie the two; once r_f is destroyed, the consent proves that its signer consented, and no longer to what.
//!
//! Read in this order: [`terms`] (what varies from person to person), [`statement`] (the text to be signed), `wording`
//! (the forms), [`mod@check`] (a signed text against what was prepared), [`withdrawal`], and [`proof`] (a file that
//! anybody checks without a network).

pub mod check;
mod form;
pub mod proof;
pub mod statement;
pub mod terms;
#[cfg(test)]
pub(crate) mod testkit;
pub mod withdrawal;
mod wording;

pub use check::{CONSENT_BYTES_MAX, ConsentError, Expected, Given, check};
pub use form::FormError;
pub use proof::{ConsentProof, Shown, TakenIn};
pub use statement::{Item, Statement};
pub use terms::{Language, Method, Operator, Terms, TermsError};
pub use withdrawal::Withdrawal;
pub use wording::{VERSION, form_hash};

use tanba_crypto::{Hash, Tag};

/// The mark by which a consent names its diploma: a hash over F under the secret r_f, drawn for it alone.
pub fn subject(fingerprint: &Hash, r_f: &[u8; 32]) -> Hash {
    Hash::tagged(Tag::CONSENT_SUBJECT, &[r_f, fingerprint.as_bytes()])
}
