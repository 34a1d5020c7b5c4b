//! The one door from *received* to *believed*. Code that needs a checked value takes a [`Verified`], and the
//! compiler keeps the unchecked ones outside.

use std::ops::Deref;

use crate::SignatureError;

/// A claim whose signatures can be checked against a context (chain, keys, validator set).
pub trait Verify {
    /// What the signatures are checked against.
    type Context<'a>;

    /// Checks every signature the value carries. Must not depend on anything but the value and `context`.
    fn verify(&self, context: Self::Context<'_>) -> Result<(), SignatureError>;
}

/// A value whose signatures were checked. [`Verified::check`] is the only way to make one from outside data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T: Verify> Verified<T> {
    /// Checks `value` and, if every signature holds, lets it in.
    pub fn check(value: T, context: T::Context<'_>) -> Result<Verified<T>, SignatureError> {
        value.verify(context)?;
        Ok(Verified(value))
    }
}

impl<T> Verified<T> {
    /// Gives the value back, unmarked: to be encoded, sent or stored.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
