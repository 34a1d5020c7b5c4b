//! What the engine asks of the host.

use tanba_ledger::{BlockHash, Certificate, Height, Slot, ValidatorIndex};

use crate::{
    evidence::Evidence,
    input::{Purpose, Timeout},
    message::{Standing, Wanted},
    promise::{Record, Utterance},
};

/// One request or report. Indices are places in the set of the height that the output names; without one, of
/// the present height.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// A new view has begun. For status and metrics.
    Entered(Slot),
    /// We lead this slot and there is work: build a block on the decided head, store it, answer `Built`.
    Build(Slot),
    /// Fetch the block's body if it is missing, check it, store it, then answer `BlockChecked`.
    Check {
        /// The block.
        block: BlockHash,
        /// Which rules hold.
        purpose: Purpose,
        /// Who must have the body: the leader, or those who notarized.
        holders: Vec<ValidatorIndex>,
    },
    /// Say this to all validators, ourselves included: through the guard, with one sync for the promise and
    /// what it rests on, then signed, sent, and handed back as `Proposal` or `Vote`.
    Speak {
        /// What to sign.
        utterance: Utterance,
        /// What it rests on; the guard writes those parts it does not hold yet.
        grounds: Vec<Record>,
    },
    /// Send this certificate to all validators; asked once for each.
    Broadcast(Certificate),
    /// Send this to all validators.
    Resend(Standing),
    /// Send these certificates to one validator, which lags or asked.
    SendJustification {
        /// To whom.
        to: ValidatorIndex,
        /// Of the present height.
        certificates: Vec<Certificate>,
    },
    /// Ask one validator for certificates; feed the answer as `Justification`. Asked again, of others, while
    /// it is missing.
    PullJustification {
        /// Whom.
        from: ValidatorIndex,
        /// Which.
        wanted: Wanted,
    },
    /// Send the finalization of a decided height to a validator that is still there, from the store.
    SendFinalization {
        /// To whom, in the set of that height.
        to: ValidatorIndex,
        /// Which height.
        height: Height,
    },
    /// Send the transactions waiting here to whoever can put them into a block.
    ForwardWork(Audience),
    /// Come back with this timeout after so many milliseconds.
    ScheduleTimeout {
        /// What to come back with.
        timeout: Timeout,
        /// When.
        delay_ms: u64,
    },
    /// The height is decided: fetch the body if it is missing, commit, then `StartHeight` the next.
    Decide(Certificate),
    /// Two signatures of one key that an honest validator never makes. Keep and report it.
    Equivocation(Evidence),
    /// A quorum certified a block that is invalid here: this node's state or program is wrong. Stop it. The
    /// engine says nothing more.
    Diverged {
        /// Where it was certified.
        slot: Slot,
        /// The block.
        block: BlockHash,
    },
}

/// Who gets the transactions that wait here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// The leader of the present view.
    Leader(ValidatorIndex),
    /// All validators: the leader did not react.
    All,
}
