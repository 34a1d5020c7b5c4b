//! The state: what all blocks so far add up to. Blocks go in, a [`Delta`] comes out.
//!
//! [`read`] is how rules see records, [`working`] how a block changes them: each transaction hands over all
//! of its [`Changes`] or none. [`apply`](mod@apply) judges a whole block, [`build`](mod@build) makes one that
//! will be judged valid, [`room`] and [`live`] hold what depends on the view and on a clock, and [`genesis`]
//! founds the network.

pub mod apply;
pub mod build;
pub mod genesis;
pub mod live;
pub mod read;
pub mod room;
pub mod tip;
pub mod working;

pub use apply::{BlockError, InvalidBlock, apply};
pub use build::{Built, LeftOut, build};
pub use genesis::{GenesisError, GenesisRecords, GenesisState, genesis_state};
pub use live::{Live, check_live};
pub use read::{Record, StateReader, StateView};
pub use room::{Room, Weight, check_room};
pub use tip::{Delta, HistoryNode, TableRoots, Tip};
pub use working::{BlockState, Changes, StateUpdate};

#[cfg(test)]
mod tests;
