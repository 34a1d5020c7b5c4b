//! What must never happen, as values: each names who, where and what.

use std::fmt;

use tanba_consensus::{Refusal, Utterance};
use tanba_ledger::{BlockHash, Height, Slot, Vote};

use super::names::{block_name, vote_name, word_name};

/// One thing that went wrong. Members are numbered by their place in the cast.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Violation {
    /// Two blocks of one height are decided, or can be.
    Disagreement(Height, BlockHash, BlockHash),
    /// Two certificates exist, or can be made, that exclude each other.
    Conflict(Vote, Vote),
    /// An honest key signed two things that exclude each other.
    DoubleSign(usize, Utterance, Utterance),
    /// An honest node said what its journal does not justify.
    Unfounded(usize, Utterance, &'static str),
    /// The guard refused what the engine asked for.
    Refused(usize, Utterance, Refusal),
    /// A certificate without a quorum of different signers was used.
    Uncertified(usize, Vote, usize),
    /// A journal, replayed, is not the guard that wrote it.
    Forgotten(usize),
    /// Evidence against an honest member was made.
    FalseEvidence(usize, usize),
    /// A valid block was taken for a sign of divergence.
    Diverged(usize, Slot),
    /// The start-up protocol ended otherwise than it may here.
    Recovery(usize, String),
    /// Production code panicked, at this member if it is known.
    Panic(Option<usize>, String),
    /// With a good network and no lies, these members did not decide within the bound.
    Stuck(Vec<usize>),
    /// Nothing is left to do, and these members do not come to rest.
    Restless(Vec<usize>),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::Disagreement(height, a, b) => {
                write!(f, "height {height} can be decided as {} and as {}", block_name(*a), block_name(*b))
            }
            Violation::Conflict(a, b) => {
                write!(f, "a quorum can certify {} and {}", vote_name(a), vote_name(b))
            }
            Violation::DoubleSign(member, a, b) => {
                write!(f, "honest member {member} signed {} and {}", word_name(a), word_name(b))
            }
            Violation::Unfounded(member, said, missing) => {
                write!(f, "member {member} said {} without {missing} in its journal", word_name(said))
            }
            Violation::Refused(member, said, refusal) => {
                write!(f, "the guard of member {member} refused {}: {refusal}", word_name(said))
            }
            Violation::Uncertified(member, vote, signers) => {
                write!(f, "member {member} used {} certified by {signers} signers", vote_name(vote))
            }
            Violation::Forgotten(member) => write!(f, "the journal of member {member} is not its guard"),
            Violation::FalseEvidence(member, offender) => {
                write!(f, "member {member} has evidence against member {offender}, who is honest")
            }
            Violation::Diverged(member, slot) => {
                write!(f, "member {member} stopped at {}/{} over a valid block", slot.height, slot.view)
            }
            Violation::Recovery(member, verdict) => {
                write!(f, "the start-up protocol of member {member} ended with {verdict}")
            }
            Violation::Panic(Some(member), message) => write!(f, "member {member} panicked: {message}"),
            Violation::Panic(None, message) => write!(f, "a member panicked: {message}"),
            Violation::Stuck(members) => {
                write!(f, "members {members:?} do not decide although the network is good")
            }
            Violation::Restless(members) => write!(f, "members {members:?} do not come to rest"),
        }
    }
}
