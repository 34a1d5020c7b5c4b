//! The public gRPC contract.
