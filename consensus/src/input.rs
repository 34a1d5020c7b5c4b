//! What the host tells the engine. Everything signed comes in [`Verified`]; time comes in as timeouts that the
//! engine itself asked for.

use tanba_crypto::Verified;
use tanba_ledger::{BlockHash, Certificate, Height, SignedVote, Slot, ValidatorIndex, ValidatorSet};

use crate::{
    guard::Recovered,
    message::{SignedProposal, Wanted},
};

/// One event. After each, drain [`Engine::next_output`](crate::Engine::next_output).
#[derive(Clone, Debug)]
pub enum Input {
    /// The block below is committed: agree on this height now. Heights only grow; several may be skipped when
    /// they were decided elsewhere (catch-up). Whatever was known of the height before is forgotten, except
    /// what evidence may need. Send [`Input::Work`] next if there is any.
    StartHeight(StartHeight),
    /// The start-up protocol has ended: from now on this node may speak in the present height, as this member.
    StartVoting(ValidatorIndex),
    /// A leader's proposal, our own among them. Feed the notarization that came with it first.
    Proposal(Verified<SignedProposal>),
    /// A vote of the present height or of an earlier one within the evidence window, our own among them.
    Vote(Verified<SignedVote>),
    /// A certificate of the present height that a peer broadcast. Later heights are the catch-up's.
    Certificate(Verified<Certificate>),
    /// Certificates of the present height that answer a question or came in a
    /// [`Standing`](crate::message::Standing). Not broadcast again.
    Justification(Vec<Verified<Certificate>>),
    /// The answer to [`Output::Check`](crate::Output::Check).
    BlockChecked {
        /// The block.
        block: BlockHash,
        /// As asked.
        purpose: Purpose,
        /// What was found.
        verdict: Verdict,
    },
    /// The answer to [`Output::Build`](crate::Output::Build): a block for this slot was built and stored. If
    /// there was nothing to build from, say `Work(false)` instead.
    Built {
        /// As asked.
        slot: Slot,
        /// The block.
        block: BlockHash,
    },
    /// Whether a block could be built on the head now: an includable transaction, or a due heartbeat. Say it
    /// when it changes, and again after each `StartHeight`, which assumes none.
    Work(bool),
    /// A timeout that was scheduled has passed. Those no longer wanted are ignored.
    TimeoutElapsed(Timeout),
    /// A validator has shown where it stands: in a standing, or when it connected. An index is a place in the
    /// set of the slot's height.
    PeerAt {
        /// Who.
        peer: ValidatorIndex,
        /// Where.
        slot: Slot,
    },
    /// A validator asks for certificates.
    JustificationAsked {
        /// Who, in the set of the height asked for.
        by: ValidatorIndex,
        /// Which.
        wanted: Wanted,
    },
}

/// All an engine needs to know of a height.
#[derive(Clone, Debug)]
pub struct StartHeight {
    /// The height to decide.
    pub height: Height,
    /// Who decides it.
    pub validators: ValidatorSet,
    /// Our place, if we may speak: `None` for an observer, while the start-up protocol lasts, and while the
    /// guard abstains ([`Guard::may_speak_at`](crate::guard::Guard::may_speak_at)).
    pub own: Option<ValidatorIndex>,
    /// What the journal holds of this height ([`Guard::recovered`](crate::guard::Guard::recovered)); empty
    /// unless the node just started.
    pub recovered: Recovered,
}

/// Why a block is checked, and so which rules hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Purpose {
    /// A fresh live proposal of this slot: extends the decided head, was built by the slot's leader, keeps to
    /// the size allowed in this view, and its time is near ours (hold the answer until it is).
    Fresh(Slot),
    /// A quorum notarized it in some view: only what makes a block valid for ever counts, not its age, and
    /// the size allowed in view 1.
    Notarized,
}

/// What became of a check.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// Valid, and its body is stored beside the journal, synced, before this is said.
    Valid,
    /// Not valid for this purpose.
    Invalid,
}

/// A moment the engine asked to be woken at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Timeout {
    /// The view has lasted long enough (R5).
    View(Slot),
    /// Time to repeat what was said (R5).
    Retry(Slot),
    /// The leader waited long enough for the finalization of the view it builds on (R1).
    Reproposal(Slot),
    /// The least time between two blocks has passed (R1).
    BlockInterval(Height),
    /// Peers that lag may be answered again (R8).
    Answers(Height),
}
