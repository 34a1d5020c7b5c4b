//! A whole network on one machine: four universities that vote and two ministries, one of which observes, as
//! five separate processes of this same program; and the way of a class of diplomas through it.
//!
//! Nothing here is simulated. `founding` makes keys, genesis and homes, `ports` keeps their addresses;
//! `processes` starts, kills and watches the nodes; `class` issues diplomas as a registrar and an approver
//! would; `checks` verifies them as an employer would, from genesis alone; `dishonest` lies to the network as a
//! leader might; `shown` has the lies that fail and the changes that are proven; `story` tells all in order and
//! `report` prints what happened.

mod checks;
mod class;
mod dishonest;
mod founding;
mod ports;
mod processes;
mod report;
mod shown;
pub mod story;

use std::{path::PathBuf, time::Duration};

pub(crate) use class::GRADUATES;
pub use founding::{Founded, Party, found};
pub use ports::ReservedPort;
pub use processes::{NodeProcess, ProcessError};
pub use report::Report;
pub use story::{Devnet, run};

use crate::{client::ClientError, issue::PrepareError};

/// What a devnet is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program whose nodes are started: this one.
    pub program: PathBuf,
    /// A new folder for homes, logs and the graduates' files.
    pub folder: PathBuf,
    /// The class list.
    pub class: Vec<u8>,
    /// Single-diploma transactions after the batches.
    pub singles: usize,
    /// From one batch to the next.
    pub batch_every: Duration,
    /// From one single transaction to the next.
    pub single_every: Duration,
}

/// What went wrong, in the step where it did.
#[derive(Debug, thiserror::Error)]
pub enum DevnetError {
    /// The homes could not be made.
    #[error("cannot found the network: {0}")]
    Founding(String),
    /// A node did not do as it should.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The class could not be prepared.
    #[error("cannot prepare the class: {0}")]
    Class(String),
    /// A node did not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What must hold does not.
    #[error("{step}: {what}")]
    Broken {
        /// The step.
        step: &'static str,
        /// What was seen.
        what: String,
    },
}

impl From<PrepareError> for DevnetError {
    fn from(error: PrepareError) -> DevnetError {
        DevnetError::Class(error.to_string())
    }
}

impl DevnetError {
    fn broken(step: &'static str, what: impl Into<String>) -> DevnetError {
        DevnetError::Broken { step, what: what.into() }
    }
}
