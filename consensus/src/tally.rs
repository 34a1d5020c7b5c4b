//! Counts what validators say at one height, and notices who contradicts himself.
//!
//! Of each validator the first vote of each kind is kept per view, so memory is bounded by members and views
//! ([`VIEWS_AHEAD_MAX`], [`VIEWS_BEHIND_MAX`]). A second, different vote of a kind is never counted: it makes
//! [`Evidence`], once per validator and height.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{Hash, Hasher},
};

use tanba_crypto::planted;

use tanba_ledger::{Certificate, Height, SignedVote, ValidatorIndex, ValidatorSet, View, Vote};

use crate::{
    evidence::{Evidence, contradict},
    limits::{VIEWS_AHEAD_MAX, VIEWS_BEHIND_MAX},
    message::SignedProposal,
};

/// What became of a vote or proposal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Counted {
    /// New, and counted.
    New,
    /// Counted before.
    Repeated,
    /// It contradicts what its sender said before; nothing to report a second time.
    Contradictory(Option<Evidence>),
    /// Too far from the present view to be kept.
    OutOfWindow,
}

/// One member's votes in one view.
#[derive(Clone, Copy, Default, Debug)]
struct Ballot {
    notarize: Option<SignedVote>,
    nullify: Option<SignedVote>,
    finalize: Option<SignedVote>,
}

impl Ballot {
    fn of_kind(&mut self, vote: &Vote) -> &mut Option<SignedVote> {
        match vote {
            Vote::Notarize(..) => &mut self.notarize,
            Vote::Nullify(_) => &mut self.nullify,
            Vote::Finalize(..) => &mut self.finalize,
        }
    }

    fn votes(&self) -> impl Iterator<Item = SignedVote> + use<> {
        [self.notarize, self.nullify, self.finalize].into_iter().flatten()
    }

    fn holds(&self, vote: &Vote) -> Option<SignedVote> {
        self.votes().find(|held| held.vote == *vote)
    }
}

/// The votes and proposals of one height.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    height: Height,
    validators: ValidatorSet,
    ballots: BTreeMap<View, BTreeMap<ValidatorIndex, Ballot>>,
    proposals: BTreeMap<View, SignedProposal>,
    reported: BTreeSet<ValidatorIndex>,
    closed: Option<View>,
}

impl Tally {
    /// An empty tally.
    pub(crate) fn new(height: Height, validators: ValidatorSet) -> Tally {
        let (ballots, proposals) = (BTreeMap::new(), BTreeMap::new());
        Tally { height, validators, ballots, proposals, reported: BTreeSet::new(), closed: None }
    }

    /// See [`Engine::digest`](crate::Engine::digest).
    pub(crate) fn digest(&self, state: &mut impl Hasher) {
        let Tally { height, validators: _, ballots, proposals, reported, closed } = self;
        (height, reported, closed, ballots.len(), proposals.len()).hash(state);
        for (view, ballots) in ballots {
            (view, ballots.len()).hash(state);
            for (voter, Ballot { notarize, nullify, finalize }) in ballots {
                let votes = [notarize, nullify, finalize].map(|signed| signed.map(|signed| signed.vote));
                (voter, votes).hash(state);
            }
        }
        proposals.values().for_each(|signed| signed.proposal.hash(state));
    }

    /// The set that is counted.
    pub(crate) const fn validators(&self) -> &ValidatorSet {
        &self.validators
    }

    /// Takes in a checked vote of this height while the node is in view `present`.
    pub(crate) fn add_vote(&mut self, signed: SignedVote, present: View) -> Counted {
        assert_eq!(signed.vote.slot().height, self.height, "a tally counts one height");
        assert!(signed.voter.at() < self.validators.len(), "a checked vote names a member");
        let view = signed.vote.slot().view;
        if !self.accepts(view, present) {
            return Counted::OutOfWindow;
        }
        let ballot = self.ballots.entry(view).or_default().entry(signed.voter).or_default();
        let contradicted = ballot.votes().find(|held| contradict(held.vote, signed.vote));
        let place = ballot.of_kind(&signed.vote);
        match place {
            Some(held) if held.vote == signed.vote => return Counted::Repeated,
            // The first word counts; the second only convicts.
            Some(_) => {}
            None => *place = Some(signed),
        }
        match contradicted {
            Some(held) => {
                let first = self.reported.insert(signed.voter);
                Counted::Contradictory(first.then_some(Evidence::Votes(held, signed)))
            }
            None => Counted::New,
        }
    }

    /// Takes in a checked proposal of this height.
    pub(crate) fn add_proposal(&mut self, signed: SignedProposal, present: View) -> Counted {
        assert_eq!(signed.proposal.slot.height, self.height, "a tally counts one height");
        let view = signed.proposal.slot.view;
        if !self.accepts(view, present) {
            return Counted::OutOfWindow;
        }
        match self.proposals.get(&view) {
            None => {
                self.proposals.insert(view, signed);
                Counted::New
            }
            Some(held) if held.proposal == signed.proposal => Counted::Repeated,
            Some(held) => {
                let first = self.reported.insert(self.validators.leader(self.height, view));
                let evidence = first.then_some(Evidence::Proposals(*held, signed));
                planted!(NotarizeTwice => self.proposals.insert(view, signed));
                Counted::Contradictory(evidence)
            }
        }
    }

    /// The leader's first proposal in a view.
    pub(crate) fn proposal(&self, view: View) -> Option<&SignedProposal> {
        self.proposals.get(&view)
    }

    /// How many members said exactly this.
    pub(crate) fn count(&self, vote: &Vote) -> usize {
        self.ballots
            .get(&vote.slot().view)
            .map_or(0, |ballots| ballots.values().filter(|ballot| ballot.holds(vote).is_some()).count())
    }

    /// How many members voted in a view at all.
    pub(crate) fn voters(&self, view: View) -> usize {
        self.ballots.get(&view).map_or(0, BTreeMap::len)
    }

    /// The certificate that a quorum of votes equal to `vote` makes, if there is one.
    pub(crate) fn certificate(&self, vote: &Vote) -> Option<Certificate> {
        let ballots = self.ballots.get(&vote.slot().view)?;
        let votes: Vec<SignedVote> = ballots.values().filter_map(|ballot| ballot.holds(vote)).collect();
        (votes.len() >= self.validators.quorum())
            .then(|| Certificate::assemble(*vote, &votes, &self.validators))
    }

    /// The highest view of which anything is kept.
    pub(crate) fn highest_view(&self) -> View {
        let last = |view: Option<&View>| view.copied().unwrap_or(View::NONE);
        last(self.ballots.keys().next_back()).max(last(self.proposals.keys().next_back()))
    }

    /// A member's votes in a view.
    pub(crate) fn votes_of(&self, voter: ValidatorIndex, view: View) -> impl Iterator<Item = SignedVote> {
        let ballot = self.ballots.get(&view).and_then(|ballots| ballots.get(&voter)).copied();
        ballot.unwrap_or_default().votes()
    }

    /// Everything a member signed at this height, as far as it was heard.
    pub(crate) fn signed_by(&self, member: ValidatorIndex) -> (Vec<SignedVote>, Vec<SignedProposal>) {
        let ballots = self.ballots.values().filter_map(|ballots| ballots.get(&member));
        let led = |view: &View| self.validators.leader(self.height, *view) == member;
        let proposals = self.proposals.iter().filter(|(view, _)| led(view));
        (ballots.flat_map(Ballot::votes).collect(), proposals.map(|(_, signed)| *signed).collect())
    }

    /// The height was decided while the node was in view `last`: from now on only views that were lived through
    /// are compared, so that a liar cannot fill the memory of every height in the evidence window.
    pub(crate) fn close(&mut self, last: View) {
        self.closed = Some(last);
        self.ballots.retain(|view, _| *view <= last);
        self.proposals.retain(|view, _| *view <= last);
    }

    fn accepts(&self, view: View, present: View) -> bool {
        let highest = self.closed.unwrap_or(View(present.0.saturating_add(VIEWS_AHEAD_MAX)));
        planted!(UnboundedVotes => true, view <= highest)
            && view.0.saturating_add(VIEWS_BEHIND_MAX) >= present.0
    }

    /// Forgets votes that lie too far below the present view to matter.
    pub(crate) fn forget_below(&mut self, present: View) {
        let first = View(present.0.saturating_sub(VIEWS_BEHIND_MAX));
        self.ballots = self.ballots.split_off(&first);
        self.proposals = self.proposals.split_off(&first);
    }
}
