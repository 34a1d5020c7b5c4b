//! The public gRPC contract of Tanba, generated from `tanba/*/v1/*.proto`: messages, servers and clients.
//!
//! protobuf is only the envelope. Transactions, headers, certificates and proofs travel inside as `bytes` of
//! their canonical encoding ([`tanba_crypto::canonical`]), so that no hash or signature ever depends on how
//! protobuf happens to write a message. What crosses the border is checked in [`convert`]: protobuf messages
//! become ledger types or an error that names the field.
//!
//! A field is never renumbered and never changes its meaning; what is removed is reserved. Anything else is a
//! new package `v2`, served beside this one.

pub mod convert;

pub use convert::FieldError;

/// What is final: blocks, headers, checkpoints, and what a node knows of itself.
pub mod ledger {
    /// Version 1.
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        reason = "generated; the .proto file is the reference"
    )]
    pub mod v1 {
        tonic::include_proto!("tanba.ledger.v1");
    }
}

/// What a graduate may ask of the institution.
pub mod holder {
    /// Version 1.
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        reason = "generated; the .proto file is the reference"
    )]
    pub mod v1 {
        tonic::include_proto!("tanba.holder.v1");
    }
}

/// Submission and receipts, and the institution's own office.
pub mod registrar {
    /// Version 1.
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        reason = "generated; the .proto file is the reference"
    )]
    pub mod v1 {
        tonic::include_proto!("tanba.registrar.v1");
    }
}

/// Proofs of the status of diplomas.
pub mod verifier {
    /// Version 1.
    #[allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        reason = "generated; the .proto file is the reference"
    )]
    pub mod v1 {
        tonic::include_proto!("tanba.verifier.v1");
    }
}

/// The descriptors of what an institution serves to its officers and graduates, encoded.
pub const INSTITUTION: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/institution.bin"));

/// The descriptors of what every node serves to everybody, encoded, as gRPC reflection serves them.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Every method that every node serves, and whether its answer is a stream.
pub fn methods() -> Vec<(String, bool)> {
    use prost::Message;
    let set = prost_types::FileDescriptorSet::decode(DESCRIPTORS).expect("build.rs wrote descriptors");
    let services = set.file.into_iter().flat_map(|file| file.service);
    let methods = services.flat_map(|service| service.method);
    methods.map(|method| (method.name().to_owned(), method.server_streaming())).collect()
}
