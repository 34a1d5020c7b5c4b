//! Known mistakes, to be made on purpose: a suite that does not notice them would not notice ours.
//!
//! Behind the feature `planted`, which only the suite that looks for them turns on, and off until `plant` is
//! called. Without the feature [`planted!`](crate::planted!) is its second half and nothing else.
//! The program that people run refuses to be built with the feature.

#[cfg(feature = "planted")]
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whether this build can make mistakes on purpose. What people run asserts that it cannot.
pub const IS_POSSIBLE: bool = cfg!(feature = "planted");

/// The first expression where the mistake is planted, else the second, or nothing. Without the feature only the second is
/// compiled.
#[cfg(feature = "planted")]
#[macro_export]
macro_rules! planted {
    ($defect:ident => $bad:expr, $good:expr) => {
        if $crate::planted::is_planted($crate::planted::Defect::$defect) { $bad } else { $good }
    };
    ($defect:ident => $bad:expr) => {
        if $crate::planted::is_planted($crate::planted::Defect::$defect) {
            $bad;
        }
    };
}

/// The second expression: this build makes no mistakes on purpose.
#[cfg(not(feature = "planted"))]
#[macro_export]
macro_rules! planted {
    ($defect:ident => $bad:expr, $good:expr) => {
        $good
    };
    ($defect:ident => $bad:expr) => {};
}

/// A mistake that others made, or nearly.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Defect {
    /// A quorum of one member less.
    QuorumTooSmall,
    /// A signature counts once for each place it is written at.
    RepeatedSigner,
    /// What is signed does not name the network.
    NoChainInVotes,
    /// `Finalize` is said in a view that was nullified.
    FinalizeAfterNullify,
    /// A proposal counts although views between it and its parent are not nullified.
    MissingNullifications,
    /// A second block of a view is notarized as well.
    NotarizeTwice,
    /// The journal refuses whatever is not above the highest slot in it.
    HighWaterMark,
    /// A validator that lost its journal is silent for one height less than it must be.
    AbstainTooShort,
    /// A damaged or missing journal is taken for an empty one.
    LossUnnoticed,
    /// A `Finalize` is promised without the notarization it rests on.
    FinalizeWithoutGrounds,
    /// A vote is sent before its promise is on disk.
    SendBeforeSync,
    /// What the journal reads when it is opened counts as durable, though only the system's memory may hold it.
    TrustTheCache,
    /// After a restart the votes of the journal are not remembered.
    VotesForgotten,
    /// Votes are kept for any view, however far.
    UnboundedVotes,
    /// Nothing is repeated while a view lasts.
    NoRepetition,
    /// Timeouts double without end.
    EndlessTimeouts,
    /// A notarized block is refused if its time lies far from our clock.
    LiveTestForNotarized,
    /// The time of a fresh block is not compared with our clock.
    NoLiveTest,
    /// A block from a peer is committed without looking at its certificate.
    CertificateUnchecked,
    /// A peer whose blocks do not hold is asked again, for ever.
    LiarBelieved,
    /// The body of a block is not kept when it is voted for.
    BodyNotKept,
    /// The head is written before what it names is durable.
    HeadBeforeBody,
    /// sled's syncs are what they are without us: no real ones.
    NoRealSync,
    /// A commit is reported before the head is durable.
    AcknowledgedTooEarly,
    /// A mint needs one officer.
    OneOfficer,
    /// A diploma can be issued twice.
    IssuedTwice,
    /// The state root of a block is not compared.
    StateUnchecked,
}

impl Defect {
    /// Every one of them.
    pub const ALL: [Defect; 27] = [
        Defect::QuorumTooSmall,
        Defect::RepeatedSigner,
        Defect::NoChainInVotes,
        Defect::FinalizeAfterNullify,
        Defect::MissingNullifications,
        Defect::NotarizeTwice,
        Defect::HighWaterMark,
        Defect::AbstainTooShort,
        Defect::LossUnnoticed,
        Defect::FinalizeWithoutGrounds,
        Defect::SendBeforeSync,
        Defect::TrustTheCache,
        Defect::VotesForgotten,
        Defect::UnboundedVotes,
        Defect::NoRepetition,
        Defect::EndlessTimeouts,
        Defect::LiveTestForNotarized,
        Defect::NoLiveTest,
        Defect::CertificateUnchecked,
        Defect::LiarBelieved,
        Defect::BodyNotKept,
        Defect::HeadBeforeBody,
        Defect::NoRealSync,
        Defect::AcknowledgedTooEarly,
        Defect::OneOfficer,
        Defect::IssuedTwice,
        Defect::StateUnchecked,
    ];
}

/// The mistake that is made, by its place in the list from 1; 0 for none.
#[cfg(feature = "planted")]
static PLANTED: AtomicUsize = AtomicUsize::new(0);

/// From now on this process makes this mistake, and no other.
#[cfg(feature = "planted")]
pub fn plant(defect: Option<Defect>) {
    PLANTED.store(defect.map_or(0, |defect| defect as usize + 1), Ordering::SeqCst);
}

/// Whether this process makes it.
#[cfg(feature = "planted")]
pub fn is_planted(defect: Defect) -> bool {
    PLANTED.load(Ordering::Relaxed) == defect as usize + 1
}
