//! How long agreement waits for what, by the kind of network.

use tanba_consensus::{Config, Delays};
use tanba_ledger::record::NetworkKind;

/// Decided heights without a word after which a validator's turns are skipped.
const SILENT_HEIGHTS: usize = 8;

/// Decided heights whose late votes are still compared.
pub const EVIDENCE_WINDOW: u64 = 64;

/// The delays of a kind of network: on a devnet all nodes share one machine, else they share a country.
pub fn of(kind: NetworkKind) -> Config {
    let delays = match kind {
        NetworkKind::Devnet => Delays {
            view_timeout_base_ms: 1_000,
            view_timeout_step_ms: 500,
            view_timeout_cap_ms: 10_000,
            retry_ms: 500,
            reproposal_wait_ms: 100,
            min_block_interval_ms: 0,
        },
        NetworkKind::Main => Delays {
            view_timeout_base_ms: 3_000,
            view_timeout_step_ms: 1_000,
            view_timeout_cap_ms: 20_000,
            retry_ms: 1_000,
            reproposal_wait_ms: 400,
            min_block_interval_ms: 200,
        },
    };
    Config { delays, silent_heights: SILENT_HEIGHTS, evidence_window: EVIDENCE_WINDOW }
}
