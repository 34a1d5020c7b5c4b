//! Where a model plays: the members, the set of each height, who lies; and what any of them can sign.
//!
//! Signatures are real and checked by production code. Since a state of the model must cost microseconds, each
//! sentence is signed and checked once; Ed25519 signs the same bytes the same way for ever.

use std::{cell::RefCell, collections::HashMap};

use tanba_consensus::{Config, Delays, Proposal, SignedProposal};
use tanba_crypto::{Hash, PublicKey, SigningKey, Verified};
use tanba_ledger::{
    Bin, Certificate, ChainId, Height, SignedVote, Slot, Validator, ValidatorIndex, ValidatorSet, View, Vote,
    certificate::Electorate,
};

use super::fingerprint::Fast;

/// The network of the model.
pub const CHAIN: ChainId = ChainId(Hash([9; 32]));

/// What every engine is told; times are only compared, never waited for.
pub const CONFIG: Config = Config {
    delays: Delays {
        view_timeout_base_ms: 1_000,
        view_timeout_step_ms: 500,
        view_timeout_cap_ms: 10_000,
        retry_ms: 300,
        reproposal_wait_ms: 40,
        min_block_interval_ms: 0,
    },
    silent_heights: 8,
    evidence_window: 16,
};

/// What a certificate looks like from outside: its vote, its signers, and how many signatures it has.
type Shape = (Vote, Vec<u8>, usize);

/// The fixed part of a run.
pub struct Stage {
    /// The first height to decide.
    pub first: Height,
    /// The last height with work; nodes enter the one after and rest.
    pub last: Height,
    /// Who lies: at most f of each set, unless the checkers are to be seen at work.
    pub liars: Vec<usize>,
    /// What engines are told.
    pub config: Config,
    /// A member that forgets its journal whenever it restarts, to see the checkers at work.
    pub forgetful: Option<usize>,
    /// The member that may lose its journal.
    pub loser: Option<usize>,
    /// Blocks are built and checked, and decided blocks committed, when the scheduler says so; else at once.
    pub slow_host: bool,
    /// Checks are answered at once, with yes.
    pub quick_checks: bool,
    /// Bodies travel apart from proposals: each host has those that it built or pulled from somebody.
    pub bodies: bool,
    /// Blocks without transactions are built when a heartbeat is due.
    pub heartbeats: bool,
    /// Hosts find valid what they have not got, to see the checkers at work.
    pub careless: bool,
    keys: Vec<SigningKey>,
    publics: Vec<PublicKey>,
    sets: Vec<(Vec<usize>, ValidatorSet)>,
    votes: RefCell<HashMap<(Vote, u16), Verified<SignedVote>, Fast>>,
    proposals: RefCell<HashMap<Proposal, Verified<SignedProposal>, Fast>>,
    certificates: RefCell<HashMap<Shape, Option<Verified<Certificate>>, Fast>>,
}

impl Stage {
    /// A stage on which the first height is decided by the first list of members, the next by the second, and
    /// every later one by the last.
    pub fn new(first: Height, last: Height, sets: &[&[usize]]) -> Stage {
        let members = sets.iter().flat_map(|set| set.iter()).max().expect("a set has members") + 1;
        let keys: Vec<SigningKey> = (0..members).map(|n| SigningKey::ed25519(&[n as u8 + 1; 32])).collect();
        let publics: Vec<PublicKey> = keys.iter().map(SigningKey::public).collect();
        let validator = |n: &usize| Validator {
            bin: Bin::with_control_digit(10_000_000_000 + *n as u64 * 100).expect("has a control digit"),
            key: publics[*n],
        };
        let set = |list: &&[usize]| {
            let set = ValidatorSet::new(list.iter().map(validator).collect()).expect("a set");
            (list.to_vec(), set)
        };
        let sets = sets.iter().map(set).collect();
        Stage {
            first,
            last,
            liars: Vec::new(),
            config: CONFIG,
            forgetful: None,
            loser: None,
            slow_host: false,
            quick_checks: false,
            bodies: false,
            heartbeats: false,
            careless: false,
            keys,
            publics,
            sets,
            votes: RefCell::default(),
            proposals: RefCell::default(),
            certificates: RefCell::default(),
        }
    }

    /// How many members there are in all sets together.
    pub fn cast(&self) -> usize {
        self.keys.len()
    }

    /// Whether this member does what the protocol says.
    pub fn is_honest(&self, member: usize) -> bool {
        !self.liars.contains(&member)
    }

    fn at(&self, height: Height) -> &(Vec<usize>, ValidatorSet) {
        let place = height.0.saturating_sub(self.first.0) as usize;
        &self.sets[place.min(self.sets.len() - 1)]
    }

    /// Who decides `height`.
    pub fn set(&self, height: Height) -> &ValidatorSet {
        &self.at(height).1
    }

    /// Who decides `height`, as members.
    pub fn members(&self, height: Height) -> &[usize] {
        &self.at(height).0
    }

    /// What signatures of `height` are checked against.
    pub fn electorate(&self, height: Height) -> Electorate<'_> {
        Electorate { chain: &CHAIN, height, validators: self.set(height) }
    }

    /// A member's place at `height`, if it has one.
    pub fn index(&self, member: usize, height: Height) -> Option<ValidatorIndex> {
        let place = self.members(height).iter().position(|other| *other == member);
        place.map(|place| ValidatorIndex(place as u16))
    }

    /// The member whose turn it is; by our own arithmetic.
    pub fn leader(&self, slot: Slot) -> usize {
        let members = self.members(slot.height);
        members[((slot.height.0 + u64::from(slot.view.0)) % members.len() as u64) as usize]
    }

    /// Votes that decide `height`, by our own arithmetic: the least count of which two share an honest member.
    pub fn quorum(&self, height: Height) -> usize {
        let n = self.members(height).len();
        n - (n - 1) / 3
    }

    /// Whether no set has more than f that lie or forget: only then progress is promised.
    pub fn bears_its_faulty(&self) -> bool {
        self.sets.iter().all(|(members, _)| {
            let forgets = |member| [self.forgetful, self.loser].contains(&Some(member));
            let faulty = members.iter().filter(|member| !self.is_honest(**member) || forgets(**member));
            3 * faulty.count() < members.len()
        })
    }

    /// The member's public key.
    pub fn public(&self, member: usize) -> PublicKey {
        self.publics[member]
    }

    /// The slot of a view of a height.
    pub const fn slot(height: Height, view: u32) -> Slot {
        Slot { height, view: View(view) }
    }

    /// A vote, signed by a member of its height's set.
    pub fn vote(&self, vote: Vote, member: usize) -> Verified<SignedVote> {
        let height = vote.slot().height;
        let index = self.index(member, height).expect("only members of the set vote");
        self.signed_vote(vote, index)
    }

    /// The vote of whoever has this place.
    pub fn signed_vote(&self, vote: Vote, index: ValidatorIndex) -> Verified<SignedVote> {
        let make = || {
            let height = vote.slot().height;
            let member = self.members(height)[index.at()];
            let signed = SignedVote::sign(vote, index, &CHAIN, &self.keys[member]);
            Verified::check(signed, self.electorate(height)).expect("the stage signs correctly")
        };
        self.votes.borrow_mut().entry((vote, index.0)).or_insert_with(make).clone()
    }

    /// A proposal, signed by its slot's leader.
    pub fn proposal(&self, proposal: Proposal) -> Verified<SignedProposal> {
        let make = || {
            let leader = self.leader(proposal.slot);
            let signed = SignedProposal::sign(proposal, &CHAIN, &self.keys[leader]);
            let electorate = self.electorate(proposal.slot.height);
            Verified::check(signed, electorate).expect("the stage signs correctly")
        };
        self.proposals.borrow_mut().entry(proposal).or_insert_with(make).clone()
    }

    /// What production code thinks of a certificate whose signatures were all made here.
    pub fn checked(&self, certificate: Certificate) -> Option<Verified<Certificate>> {
        let key = (certificate.vote, certificate.signers.clone(), certificate.signatures.len());
        let electorate = self.electorate(certificate.slot().height);
        let mut cache = self.certificates.borrow_mut();
        cache.entry(key).or_insert_with(|| Verified::check(certificate, electorate).ok()).clone()
    }

    /// The certificate that the scheduler can show if exactly these places signed `vote`: one that production
    /// code assembles or, if they are too few, the first forgery that it lets in. None should.
    pub fn certificate(&self, vote: Vote, signers: &[ValidatorIndex]) -> Option<Verified<Certificate>> {
        let votes: Vec<SignedVote> =
            signers.iter().map(|index| self.signed_vote(vote, *index).into_inner()).collect();
        let set = self.set(vote.slot().height);
        if votes.len() >= set.quorum() {
            return self.checked(Certificate::assemble(vote, &votes, set));
        }
        // Not through the cache: a forgery may look like the genuine certificate of others.
        let electorate = self.electorate(vote.slot().height);
        self.forgeries(vote, &votes).into_iter().find_map(|forged| Verified::check(forged, electorate).ok())
    }

    /// Too few signatures as they are; one repeated until they are enough; and one repeated under other names.
    fn forgeries(&self, vote: Vote, votes: &[SignedVote]) -> Vec<Certificate> {
        let Some(last) = votes.last() else { return Vec::new() };
        let height = vote.slot().height;
        let members = self.members(height).len();
        let mut signers = vec![0_u8; members.div_ceil(8)];
        for signed in votes {
            signers[signed.voter.at() / 8] |= 1 << (signed.voter.at() % 8);
        }
        let short = Certificate { vote, signers, signatures: votes.iter().map(|v| v.signature).collect() };
        let mut repeated = short.clone();
        repeated.signatures.resize(self.quorum(height), last.signature);
        let mut borrowed = repeated.clone();
        let mut missing = self.quorum(height).saturating_sub(votes.len());
        for place in 0..members {
            let bit = 1 << (place % 8);
            if missing > 0 && borrowed.signers[place / 8] & bit == 0 {
                borrowed.signers[place / 8] |= bit;
                missing -= 1;
            }
        }
        vec![short, repeated, borrowed]
    }
}
