//! The node of Tanba: the only place with sockets, time, threads and keys.
//!
//! [`replica`] is the deterministic heart; `driver` is the one loop around it, [`network`], [`api`] and the
//! store's reader are what it speaks with, and [`node`] puts them together. [`cli`] is what people type;
//! [`client`], [`issue`], [`keystore`], [`home`] and [`config`] are what its commands are made of.

// The derives of canonical bytes name the crate `bincode`; ours stands in for it.
extern crate tanba_crypto as bincode;

pub mod api;
pub mod change;
mod checkers;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod delays;
pub mod devnet;
mod driver;
pub mod handle;
pub mod heal;
pub mod home;
pub mod issue;
pub mod keystore;
pub mod logging;
pub mod message;
pub mod metrics;
pub mod network;
pub mod node;
mod observe;
mod parts;
pub mod replica;
pub mod serve;
pub mod signer;
mod timers;
pub mod verify;

pub use cli::main;
