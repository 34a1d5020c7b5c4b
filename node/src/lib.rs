//! The node of Tanba: the only place with sockets, time, threads and keys.
pub mod handle;
