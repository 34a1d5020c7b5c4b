//! The bench: one engine behind its real guard, driven by words.
//!
//! `check(&["propose A @1", "timeout @1"], &["notarize A @1", "nullify @1"])` plays the left side to member 3
//! of four at height 7 and expects the right side said. Leaders of views 1, 2, 3, 4 are members 0, 1, 2, 3.
//!
//! Words in: `work`, `no work`, `propose A @2 [on 1]`, `notarize A @1 by 0 2`, `nullify @1 by 0`,
//! `finalize A @1 by 0`, `notarization A @1`, `nullification @1`, `finalization A @1` (certificates),
//! `answer nullification @1; notarization A @2` (one justification), `built A @1`, `fresh A @1`,
//! `unfit A @1`, `stored A`, `broken A` (verdicts, after `hold`), `timeout @1`, `retry @1`, `reproposal @2`,
//! `interval`, `answers`, `peer 2 @1`, `peer 2 at height 5`, `ask 2 @1..3`, `restart`, `vote as 3`.
//!
//! Words out are the same, and `enter 2`, `build @1`, `check A @1` or `check A`, `broadcast ...`,
//! `resend @1: ...`, `send 2: ...`, `pull 0 @1..2`, `send 2 height 5`, `forward 0`, `forward all`,
//! `timer 1000`, `retry timer`, `decide A @1`, `evidence`, `diverged A @1`.

use std::{cell::RefCell, collections::BTreeMap};

use tanba_consensus::{
    Admission, Audience, Config, Delays, Engine, Evidence, Guard, Input, Output, Proposal, Purpose, Record,
    SignedProposal, Standing, StartHeight, Timeout, Utterance, Verdict, Wanted,
};
use tanba_crypto::{Canonical, Hash, SigningKey, Verified, Verify};
use tanba_ledger::{
    Bin, BlockHash, Certificate, ChainId, Height, SignedVote, Slot, Validator, ValidatorIndex, ValidatorSet,
    View, Vote, certificate::Electorate,
};

pub(crate) const CHAIN: ChainId = ChainId(Hash([9; 32]));
/// Its leaders are members 0, 1, 2, 3 of four in views 1, 2, 3, 4.
pub(crate) const HEIGHT: Height = Height(7);

pub(crate) const CONFIG: Config = Config {
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

pub(crate) fn key(n: usize) -> SigningKey {
    KEYS.with_borrow_mut(|cache| {
        cache.entry(n).or_insert_with(|| SigningKey::ed25519(&[n as u8 + 1; 32])).clone()
    })
}

pub(crate) fn validator(n: usize) -> Validator {
    VALIDATORS.with_borrow_mut(|cache| {
        *cache.entry(n).or_insert_with(|| Validator { bin: bin(n), key: key(n).public() })
    })
}

pub(crate) fn bin(n: usize) -> Bin {
    Bin::with_control_digit(10_000_000_000 + n as u64 * 100).expect("has a control digit")
}

pub(crate) fn set(n: usize) -> ValidatorSet {
    ValidatorSet::new((0..n).map(validator).collect()).expect("a set")
}

pub(crate) fn slot(view: u32) -> Slot {
    Slot { height: HEIGHT, view: View(view) }
}

pub(crate) fn block(name: char) -> BlockHash {
    BlockHash(Hash([name as u8; 32]))
}

fn name(block: BlockHash) -> char {
    char::from(block.0.0[0])
}

thread_local! {
    /// Signing and checking dominate a simulated network; the same sentence is signed and checked once.
    static SIGNED: RefCell<BTreeMap<(Vote, usize), SignedVote>> = const { RefCell::new(BTreeMap::new()) };
    static PROPOSED: RefCell<BTreeMap<Proposal, SignedProposal>> = const { RefCell::new(BTreeMap::new()) };
    static KEYS: RefCell<BTreeMap<usize, SigningKey>> = const { RefCell::new(BTreeMap::new()) };
    static VALIDATORS: RefCell<BTreeMap<usize, Validator>> = const { RefCell::new(BTreeMap::new()) };
    static VOTES: RefCell<BTreeMap<Vec<u8>, Verified<SignedVote>>> = const { RefCell::new(BTreeMap::new()) };
    static PROPOSALS: RefCell<BTreeMap<Vec<u8>, Verified<SignedProposal>>> =
        const { RefCell::new(BTreeMap::new()) };
    static CERTIFICATES: RefCell<BTreeMap<Vec<u8>, Verified<Certificate>>> =
        const { RefCell::new(BTreeMap::new()) };
}

pub(crate) fn sign(vote: Vote, voter: usize) -> SignedVote {
    SIGNED.with_borrow_mut(|cache| {
        *cache
            .entry((vote, voter))
            .or_insert_with(|| SignedVote::sign(vote, ValidatorIndex(voter as u16), &CHAIN, &key(voter)))
    })
}

/// Signs as the leader of the slot among `n`.
pub(crate) fn sign_proposal(proposal: Proposal, n: usize) -> SignedProposal {
    PROPOSED.with_borrow_mut(|cache| {
        *cache.entry(proposal).or_insert_with(|| {
            let leader = set(n).leader(proposal.slot.height, proposal.slot.view).at();
            SignedProposal::sign(proposal, &CHAIN, &key(leader))
        })
    })
}

fn check_cached<T>(
    cache: &mut BTreeMap<Vec<u8>, Verified<T>>,
    value: T,
    height: Height,
    validators: &ValidatorSet,
) -> Verified<T>
where
    T: Canonical + Clone + for<'a> Verify<Context<'a> = Electorate<'a>>,
{
    let place = cache.entry(value.to_canonical());
    let electorate = Electorate { chain: &CHAIN, height, validators };
    place.or_insert_with(|| Verified::check(value, electorate).expect("the bench signs correctly")).clone()
}

pub(crate) fn checked_vote(vote: SignedVote, validators: &ValidatorSet) -> Verified<SignedVote> {
    VOTES.with_borrow_mut(|cache| check_cached(cache, vote, vote.vote.slot().height, validators))
}

pub(crate) fn checked_proposal(
    proposal: SignedProposal,
    validators: &ValidatorSet,
) -> Verified<SignedProposal> {
    PROPOSALS
        .with_borrow_mut(|cache| check_cached(cache, proposal, proposal.proposal.slot.height, validators))
}

pub(crate) fn checked_certificate(
    certificate: Certificate,
    validators: &ValidatorSet,
) -> Verified<Certificate> {
    let height = certificate.slot().height;
    CERTIFICATES.with_borrow_mut(|cache| check_cached(cache, certificate, height, validators))
}

/// A certificate by every member of four but one.
pub(crate) fn certificate_without(absent: usize, vote: Vote) -> Certificate {
    let voters = (0..4).filter(|voter| *voter != absent);
    let votes: Vec<SignedVote> = voters.map(|voter| sign(vote, voter)).collect();
    Certificate::assemble(vote, &votes, &set(4))
}

/// One engine, its guard, and everything it said.
pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) guard: Guard,
    pub(crate) journal: Vec<Record>,
    own: usize,
    validators: ValidatorSet,
    holds: bool,
    seen: Vec<String>,
    pub(crate) evidence: Vec<Evidence>,
}

impl Bench {
    pub(crate) fn new(own: usize) -> Bench {
        Bench::with(own, set(4), CONFIG)
    }

    pub(crate) fn with(own: usize, validators: ValidatorSet, config: Config) -> Bench {
        let (mut guard, owner) = Guard::create(CHAIN, key(own).public());
        guard.commit(HEIGHT.previous().expect("not genesis"));
        let mut bench = Bench {
            engine: Engine::new(config),
            guard,
            journal: vec![owner],
            own,
            validators,
            holds: false,
            seen: Vec::new(),
            evidence: Vec::new(),
        };
        bench.start(HEIGHT);
        bench
    }

    /// A node whose start-up protocol is under way: it may not speak until `vote as`.
    pub(crate) fn silent(own: usize) -> Bench {
        let mut bench = Bench::new(own);
        bench.engine = Engine::new(CONFIG);
        bench.seen.clear();
        bench.start_as(HEIGHT, None);
        bench
    }

    pub(crate) fn start(&mut self, height: Height) {
        let own = self.guard.may_speak_at(height).then_some(ValidatorIndex(self.own as u16));
        self.start_as(height, own);
    }

    fn start_as(&mut self, height: Height, own: Option<ValidatorIndex>) {
        let electorate = Electorate { chain: &CHAIN, height, validators: &self.validators };
        let recovered = self.guard.recovered(electorate).expect("our own journal verifies");
        let validators = self.validators.clone();
        self.feed(Input::StartHeight(StartHeight { height, validators, own, recovered }));
    }

    fn restart(&mut self) {
        let committed = self.guard.committed();
        self.guard = Guard::replay(&self.journal, CHAIN, key(self.own).public()).expect("our own journal");
        self.guard.commit(committed);
        self.engine = Engine::new(CONFIG);
        self.start(HEIGHT);
    }

    pub(crate) fn feed(&mut self, input: Input) {
        self.engine.handle(input);
        while let Some(output) = self.engine.next_output() {
            self.seen.push(describe(&output));
            match output {
                Output::Speak { utterance, grounds } => self.speak(&utterance, &grounds),
                Output::Check { block, purpose, .. } if !self.holds => {
                    self.engine.handle(Input::BlockChecked { block, purpose, verdict: Verdict::Valid });
                }
                Output::Equivocation(evidence) => self.evidence.push(evidence),
                _ => {}
            }
        }
    }

    fn speak(&mut self, utterance: &Utterance, grounds: &[Record]) {
        let admission = self.guard.admit(utterance, grounds).expect("the engine asks for nothing forbidden");
        let record = match admission {
            Admission::Repeat(record) => record,
            Admission::New(promise) => {
                let signature = key(self.own).sign(&utterance.signing_bytes(&CHAIN));
                let records = promise.into_records(ValidatorIndex(self.own as u16), signature);
                self.guard.remember(&records);
                self.journal.extend(records.clone());
                records.last().expect("a promise writes at least itself").clone()
            }
        };
        let input = match record {
            Record::OwnVote(signed) => Input::Vote(checked_vote(signed, &self.validators)),
            Record::OwnProposal(signed) => Input::Proposal(checked_proposal(signed, &self.validators)),
            other => panic!("the guard repeats {other:?}"),
        };
        self.engine.handle(input);
    }

    pub(crate) fn play(&mut self, script: &[&str]) {
        for line in script {
            self.step(line);
        }
    }

    fn step(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let input = match words.as_slice() {
            ["work"] => Input::Work(true),
            ["no", "work"] => Input::Work(false),
            ["hold"] => return self.holds = true,
            ["restart"] => return self.restart(),
            ["vote", "as", member] => Input::StartVoting(index(member)),
            ["propose", name, at, rest @ ..] => {
                let parent_view = match rest {
                    ["on", view] => View(number(view)),
                    _ => View::NONE,
                };
                let proposal = Proposal { slot: slot(number(at)), block: named(name), parent_view };
                let signed = sign_proposal(proposal, self.validators.len());
                Input::Proposal(checked_proposal(signed, &self.validators))
            }
            ["fresh", name, at] => checked(name, Purpose::Fresh(slot(number(at))), Verdict::Valid),
            ["unfit", name, at] => checked(name, Purpose::Fresh(slot(number(at))), Verdict::Invalid),
            ["stored", name] => checked(name, Purpose::Notarized, Verdict::Valid),
            ["broken", name] => checked(name, Purpose::Notarized, Verdict::Invalid),
            ["built", name, at] => Input::Built { slot: slot(number(at)), block: named(name) },
            ["timeout", at] => Input::TimeoutElapsed(Timeout::View(slot(number(at)))),
            ["retry", at] => Input::TimeoutElapsed(Timeout::Retry(slot(number(at)))),
            ["reproposal", at] => Input::TimeoutElapsed(Timeout::Reproposal(slot(number(at)))),
            ["interval"] => Input::TimeoutElapsed(Timeout::BlockInterval(HEIGHT)),
            ["answers"] => Input::TimeoutElapsed(Timeout::Answers(HEIGHT)),
            ["peer", member, "at", "height", height] => {
                let slot = Slot { height: Height(number(height).into()), view: View::FIRST };
                Input::PeerAt { peer: index(member), slot }
            }
            ["peer", member, at] => Input::PeerAt { peer: index(member), slot: slot(number(at)) },
            ["ask", member, range] => {
                let (first, last) = range.split_once("..").expect("a range of views");
                let wanted = Wanted { first: slot(number(first)), last: View(number(last)) };
                Input::JustificationAsked { by: index(member), wanted }
            }
            ["answer", ..] => {
                let list = line.strip_prefix("answer ").expect("starts with the word").split("; ");
                let certificates = list.map(|one| self.certificate(one)).collect();
                Input::Justification(certificates)
            }
            ["notarization" | "nullification" | "finalization", ..] => {
                Input::Certificate(self.certificate(line))
            }
            [.., "by", _] | [.., "by", _, _] | [.., "by", _, _, _] => {
                let (said, voters) = line.split_once(" by ").expect("has voters");
                for voter in voters.split_whitespace() {
                    let signed = sign(vote(said), number(voter) as usize);
                    self.feed(Input::Vote(checked_vote(signed, &self.validators)));
                }
                return;
            }
            other => panic!("the bench does not know {other:?}"),
        };
        self.feed(input);
    }

    fn certificate(&self, line: &str) -> Verified<Certificate> {
        let said = line.replace("ization", "ize").replace("ification", "ify");
        checked_certificate(certificate_without(self.own, vote(&said)), &self.validators)
    }

    /// What was said and where it led; with `also`, lines that start with these words too.
    pub(crate) fn seen(&self, also: &[&str]) -> Vec<&str> {
        const SAID: [&str; 8] =
            ["propose", "notarize", "nullify", "finalize", "enter", "decide", "diverged", "evidence"];
        let visible =
            |line: &&str| *line != "enter 1" && SAID.iter().chain(also).any(|word| line.starts_with(word));
        self.seen.iter().map(String::as_str).filter(visible).collect()
    }
}

/// Plays the script to member 3 and compares what it says.
#[track_caller]
pub(crate) fn check(script: &[&str], said: &[&str]) {
    check_as(3, script, &[], said);
}

/// The same for another member, with further kinds of output in view.
#[track_caller]
pub(crate) fn check_as(own: usize, script: &[&str], also: &[&str], said: &[&str]) {
    let mut bench = Bench::new(own);
    bench.play(script);
    assert_eq!(bench.seen(also), said, "after {script:?}");
}

/// The same for member 3, with further kinds of output in view.
#[track_caller]
pub(crate) fn check_with(also: &[&str], script: &[&str], said: &[&str]) {
    check_as(3, script, also, said);
}

fn number(word: &str) -> u32 {
    word.trim_start_matches('@').parse().expect("a number")
}

fn index(word: &str) -> ValidatorIndex {
    ValidatorIndex(number(word) as u16)
}

fn named(word: &str) -> BlockHash {
    block(word.chars().next().expect("a name"))
}

fn checked(name: &str, purpose: Purpose, verdict: Verdict) -> Input {
    Input::BlockChecked { block: named(name), purpose, verdict }
}

pub(crate) fn vote(said: &str) -> Vote {
    match said.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["notarize", name, at] => Vote::Notarize(slot(number(at)), named(name)),
        ["nullify", at] => Vote::Nullify(slot(number(at))),
        ["finalize", name, at] => Vote::Finalize(slot(number(at)), named(name)),
        other => panic!("{other:?} is no vote"),
    }
}

fn describe_vote(vote: &Vote) -> String {
    let view = vote.slot().view;
    match vote {
        Vote::Notarize(_, block) => format!("notarize {} @{view}", name(*block)),
        Vote::Nullify(_) => format!("nullify @{view}"),
        Vote::Finalize(_, block) => format!("finalize {} @{view}", name(*block)),
    }
}

fn describe_certificate(certificate: &Certificate) -> String {
    describe_vote(&certificate.vote).replacen("ize", "ization", 1).replacen("ify", "ification", 1)
}

fn describe_proposal(proposal: &Proposal) -> String {
    let on = if proposal.is_fresh() { String::new() } else { format!(" on {}", proposal.parent_view) };
    format!("propose {} @{}{on}", name(proposal.block), proposal.slot.view)
}

fn describe_standing(standing: &Standing) -> String {
    let proposal = standing.proposal.iter().map(|signed| describe_proposal(&signed.proposal));
    let votes = standing.votes.iter().map(|signed| describe_vote(&signed.vote));
    let certificates = standing.justification.iter().map(describe_certificate);
    let parts: Vec<String> = proposal.chain(votes).chain(certificates).collect();
    format!("resend @{}: {}", standing.slot.view, parts.join("; "))
}

fn describe(output: &Output) -> String {
    match output {
        Output::Entered(slot) => format!("enter {}", slot.view),
        Output::Build(slot) => format!("build @{}", slot.view),
        Output::Check { block, purpose: Purpose::Fresh(slot), .. } => {
            format!("check {} @{}", name(*block), slot.view)
        }
        Output::Check { block, purpose: Purpose::Notarized, .. } => format!("check {}", name(*block)),
        Output::Speak { utterance: Utterance::Proposal(proposal), .. } => describe_proposal(proposal),
        Output::Speak { utterance: Utterance::Vote(vote), .. } => describe_vote(vote),
        Output::Broadcast(certificate) => format!("broadcast {}", describe_certificate(certificate)),
        Output::Resend(standing) => describe_standing(standing),
        Output::SendJustification { to, certificates } => {
            let certificates: Vec<String> = certificates.iter().map(describe_certificate).collect();
            format!("send {}: {}", to.0, certificates.join("; "))
        }
        Output::PullJustification { from, wanted } => {
            format!("pull {} @{}..{}", from.0, wanted.first.view, wanted.last)
        }
        Output::SendFinalization { to, height } => format!("send {} height {height}", to.0),
        Output::ForwardWork(Audience::Leader(leader)) => format!("forward {}", leader.0),
        Output::ForwardWork(Audience::All) => "forward all".into(),
        Output::ScheduleTimeout { timeout, delay_ms } => match timeout {
            Timeout::View(_) => format!("timer {delay_ms}"),
            Timeout::Retry(_) => "retry timer".into(),
            Timeout::Reproposal(_) => format!("reproposal timer {delay_ms}"),
            Timeout::BlockInterval(_) => format!("interval timer {delay_ms}"),
            Timeout::Answers(_) => "answers timer".into(),
        },
        Output::Decide(certificate) => {
            format!(
                "decide {} @{}",
                name(certificate.vote.block().expect("a block")),
                certificate.slot().view
            )
        }
        Output::Equivocation(_) => "evidence".into(),
        Output::Diverged { slot, block } => format!("diverged {} @{}", name(*block), slot.view),
    }
}
