//! The national electronic signature, checked to the last byte: certificates of the national authority, their chains
//! and revocation, signed messages and time stamps.
//!
//! Read in this order: [`der`] (the strict reader) and [`oid`] (the one table of names), [`algorithm`] (which
//! signatures are believed), [`certificate`], [`chain`] with [`national`] (which roots count) and [`revocation`] with
//! [`crl`] and [`ocsp`], then [`cms`] and [`tsp`], and [`verify`], which puts them together for a caller.
//! [`mod@check`] does all of it for a file of any kind, [`authority`] makes a throw-away authority for devnets and
//! tests.
//!
//! The crate has no clock, no randomness and no IO, and compiles for wasm32: the moment, the bytes and the roots come
//! in as arguments. What it cannot show to be valid is not valid. Persons' data stands in no error and no `Debug`.

pub mod algorithm;
pub mod authority;
mod ber;
pub mod certificate;
pub mod chain;
pub mod check;
pub mod cms;
pub mod crl;
pub mod der;
pub mod error;
pub mod hash;
pub mod name;
pub mod national;
pub mod ocsp;
pub mod oid;
pub mod pem;
pub mod revocation;
pub mod role;
pub mod rsa;
pub mod time;
pub mod tsp;
pub mod verify;

pub use algorithm::{PublicKey, SignatureAlgorithm};
pub use certificate::{AuthorityKey, BasicConstraints, Certificate, Extensions, KeyUsage, Serial};
pub use chain::{Chain, Realm, Root, Trust};
pub use check::{Report, Request, Verdict, check};
pub use cms::SignedData;
pub use crl::Crl;
pub use error::Error;
pub use hash::HashAlgorithm;
pub use name::{Bin, Iin, Name};
pub use ocsp::Response;
pub use oid::Oid;
pub use revocation::{Evidence, Policy, Proof};
pub use role::{Office, Role};
pub use time::Time;
pub use tsp::TimeStamp;
pub use verify::{Context, Signed, Vouched};
