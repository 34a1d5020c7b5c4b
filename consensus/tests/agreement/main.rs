//! The rules of agreement as step tables, one module per rule, and a network of engines under reordering,
//! loss and crashes.

mod equivocation;
mod journal_lost;
mod network;
mod promises;
mod r0_rest;
mod r1_propose;
mod r2_justified;
mod r3_notarize;
mod r4_notarization;
mod r5_timeout;
mod r6_nullification;
mod r7_finalization;
mod r8_behind;
mod set_change;
mod support;
