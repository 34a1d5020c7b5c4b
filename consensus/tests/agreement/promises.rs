//! The promise guard: what may be signed, what is on disk before, and what survives.

use tanba_consensus::{
    Admission, Guard, GuardReset, Proposal, Record, Refusal, Utterance, evidence::contradict,
    guard::ReplayError, limits,
};
use tanba_crypto::{Canonical, Hash};
use tanba_ledger::{ChainId, Height, Slot, ValidatorIndex, View, Vote, certificate::Electorate};

use crate::support::*;

/// A guard and the bytes of its journal; every promise goes through both.
struct Desk {
    guard: Guard,
    journal: Vec<Vec<u8>>,
}

impl Desk {
    fn new() -> Desk {
        let (guard, owner) = Guard::create(CHAIN, key(3).public());
        Desk { guard, journal: vec![owner.to_canonical()] }
    }

    fn try_say(&mut self, utterance: Utterance, grounds: &[Record]) -> Result<bool, Refusal> {
        match self.guard.admit(&utterance, grounds)? {
            Admission::Repeat(_) => Ok(false),
            Admission::New(promise) => {
                let signature = key(3).sign(&promise.utterance().signing_bytes(&CHAIN));
                self.write(promise.into_records(ValidatorIndex(3), signature));
                Ok(true)
            }
        }
    }

    fn write(&mut self, records: Vec<Record>) {
        self.journal.extend(records.iter().map(Record::to_canonical));
        self.guard.remember(&records);
    }

    /// Says a vote given in the bench's words, resting on what is listed.
    fn say(&mut self, said: &str, grounds: &[Record]) -> Result<bool, Refusal> {
        self.try_say(Utterance::Vote(vote(said)), grounds)
    }

    fn restart(&mut self) {
        let records: Vec<Record> =
            self.journal.iter().map(|bytes| Record::read(bytes).expect("our own record")).collect();
        self.guard = Guard::replay(&records, CHAIN, key(3).public()).expect("our own journal");
    }
}

fn held(said: &str) -> Record {
    Record::Certificate(certificate_without(3, vote(said)))
}

fn proposed(name: char, view: u32, parent: u32) -> Record {
    let proposal = Proposal { slot: slot(view), block: block(name), parent_view: View(parent) };
    Record::LeaderProposal(sign_proposal(proposal, 4))
}

#[test]
fn the_same_words_give_the_same_signature_and_other_words_are_refused() {
    let mut desk = Desk::new();
    assert_eq!(desk.say("notarize A @1", &[proposed('A', 1, 0)]), Ok(true));
    assert_eq!(desk.say("notarize A @1", &[]), Ok(false), "repeated from the journal");
    let refused = Refusal::Otherwise { slot: slot(1), what: "notarize" };
    assert_eq!(desk.say("notarize B @1", &[proposed('B', 1, 0)]), Err(refused));
}

#[test]
fn a_restarted_guard_repeats_the_very_bytes() {
    let mut desk = Desk::new();
    desk.say("notarize A @1", &[proposed('A', 1, 0)]).expect("admitted");
    let before = desk.guard.admit(&Utterance::Vote(vote("notarize A @1")), &[]);
    desk.restart();
    assert_eq!(desk.guard.admit(&Utterance::Vote(vote("notarize A @1")), &[]), before);
    assert!(matches!(before, Ok(Admission::Repeat(Record::OwnVote(_)))));
    let refused = Refusal::Otherwise { slot: slot(1), what: "notarize" };
    assert_eq!(desk.say("notarize B @1", &[proposed('B', 1, 0)]), Err(refused));
}

#[test]
fn finalize_and_nullify_exclude_each_other_both_ways() {
    let mut desk = Desk::new();
    desk.say("nullify @1", &[]).expect("admitted");
    let refused = Refusal::Excluded { slot: slot(1), said: "nullified" };
    assert_eq!(desk.say("finalize A @1", &[held("notarize A @1")]), Err(refused));
    let mut desk = Desk::new();
    desk.say("finalize A @1", &[held("notarize A @1")]).expect("admitted");
    let refused = Refusal::Excluded { slot: slot(1), said: "finalized" };
    assert_eq!(desk.say("nullify @1", &[]), Err(refused));
}

#[test]
fn finalize_needs_its_notarization_on_record() {
    let mut desk = Desk::new();
    let refused = Err(Refusal::NotNotarized { slot: slot(1) });
    assert_eq!(desk.say("finalize A @1", &[]), refused);
    assert_eq!(desk.say("finalize A @1", &[held("notarize B @1")]), refused);
    assert_eq!(desk.say("finalize A @1", &[held("nullify @1")]), refused);
    assert_eq!(desk.say("finalize A @1", &[held("notarize A @1")]), Ok(true));
}

#[test]
fn notarize_needs_the_leaders_proposal_on_record() {
    let mut desk = Desk::new();
    let refused = Err(Refusal::NotProposed { slot: slot(1) });
    assert_eq!(desk.say("notarize A @1", &[]), refused);
    assert_eq!(desk.say("notarize A @1", &[proposed('B', 1, 0)]), refused);
    assert_eq!(desk.say("notarize A @1", &[proposed('A', 5, 0)]), refused);
}

#[test]
fn nothing_is_said_above_view_1_without_its_justification_on_record() {
    let mut desk = Desk::new();
    let refused = Err(Refusal::NotJustified { slot: slot(3) });
    assert_eq!(desk.say("nullify @3", &[]), refused);
    assert_eq!(desk.say("nullify @3", &[held("nullify @2")]), refused);
    assert_eq!(desk.say("notarize A @3", &[proposed('A', 3, 0), held("nullify @2")]), refused);
    let fresh = Proposal { slot: slot(3), block: block('A'), parent_view: View::NONE };
    assert_eq!(desk.try_say(Utterance::Proposal(fresh), &[held("nullify @1")]), refused);
    assert_eq!(desk.say("nullify @3", &[held("nullify @1"), held("nullify @2")]), Ok(true));
    assert_eq!(desk.say("notarize A @3", &[proposed('A', 3, 0)]), Ok(true), "it is on record now");
}

#[test]
fn a_recorded_notarization_justifies_the_view_above_it() {
    let mut desk = Desk::new();
    desk.say("finalize A @4", &[held("notarize A @4")]).expect("admitted");
    assert_eq!(desk.say("nullify @5", &[]), Ok(true));
    assert_eq!(desk.say("nullify @6", &[held("nullify @5")]), Ok(true));
}

#[test]
fn a_block_proposed_again_must_be_the_notarized_one() {
    let mut desk = Desk::new();
    let again =
        |name| Utterance::Proposal(Proposal { slot: slot(2), block: block(name), parent_view: View(1) });
    let refused = Err(Refusal::NotJustified { slot: slot(2) });
    assert_eq!(desk.try_say(again('B'), &[held("notarize A @1")]), refused);
    assert_eq!(desk.try_say(again('A'), &[held("notarize A @1")]), Ok(true));
    let other = Refusal::Otherwise { slot: slot(2), what: "proposal" };
    assert_eq!(desk.try_say(again('B'), &[held("notarize A @1")]), Err(other));
}

#[test]
fn it_is_no_high_water_mark() {
    // A mark over (view, kind) that refused older slots has halted other chains.
    let mut desk = Desk::new();
    desk.say("nullify @3", &[held("nullify @1"), held("nullify @2")]).expect("admitted");
    assert_eq!(desk.say("finalize A @1", &[held("notarize A @1")]), Ok(true));
    assert_eq!(desk.say("nullify @2", &[]), Ok(true));
    assert_eq!(desk.say("nullify @3", &[]), Ok(false));
}

#[test]
fn nothing_is_said_at_or_below_the_committed_head() {
    let mut desk = Desk::new();
    desk.guard.commit(HEIGHT);
    let refused = Err(Refusal::Committed { height: HEIGHT, committed: HEIGHT });
    assert_eq!(desk.say("nullify @1", &[]), refused);
    assert!(!desk.guard.may_speak_at(HEIGHT) && desk.guard.may_speak_at(HEIGHT.next()));
    desk.guard.commit(Height(3));
    assert_eq!(desk.guard.committed(), HEIGHT, "a head never falls");
}

#[test]
fn there_is_no_view_0() {
    assert_eq!(Desk::new().say("nullify @0", &[]), Err(Refusal::NoView));
}

#[test]
fn one_sync_covers_a_promise_and_what_it_rests_on_and_nothing_is_written_twice() {
    let mut desk = Desk::new();
    let grounds = [held("nullify @1"), proposed('A', 2, 0)];
    desk.say("notarize A @2", &grounds).expect("admitted");
    let kinds: Vec<u8> = desk.journal.iter().map(|record| record[0]).collect();
    assert_eq!(kinds, [1, 2, 3, 5], "owner, certificate, the leader's proposal, our vote last");
    desk.say("nullify @2", &grounds[..1]).expect("admitted");
    assert_eq!(desk.journal.len(), 5, "only the vote itself is new");
}

#[test]
fn our_own_proposal_serves_our_own_notarize() {
    let mut desk = Desk::new();
    let fresh = Proposal { slot: slot(4), block: block('A'), parent_view: View::NONE };
    let justification = ["nullify @1", "nullify @2", "nullify @3"].map(held);
    desk.try_say(Utterance::Proposal(fresh), &justification).expect("admitted");
    assert_eq!(desk.say("notarize A @4", &[proposed('A', 4, 0)]), Ok(true));
    assert!(!desk.journal.iter().any(|record| record[0] == 3), "it is not written as another's as well");
}

#[test]
fn abstention_outlives_restarts_until_its_height_has_passed() {
    let mut desk = Desk::new();
    desk.write(vec![Record::AbstainThrough(HEIGHT)]);
    desk.restart();
    assert_eq!(desk.say("nullify @1", &[]), Err(Refusal::Abstaining { through: HEIGHT }));
    let above = Vote::Nullify(Slot { height: HEIGHT.next(), view: View(1) });
    assert_eq!(desk.try_say(Utterance::Vote(above), &[]), Ok(true));
}

#[test]
fn a_guard_reset_lifts_the_abstention() {
    let mut desk = Desk::new();
    desk.write(vec![Record::AbstainThrough(Height(100))]);
    desk.write(vec![Record::Reset(GuardReset { key: key(3).public(), abstain_through: Height(6) })]);
    assert_eq!(desk.say("nullify @1", &[]), Ok(true));
    desk.write(desk.guard.compacted()[1..].to_vec());
    desk.restart();
    assert!(desk.guard.may_speak_at(HEIGHT), "also after compaction and restart");
}

#[test]
fn compaction_keeps_every_promise_above_the_committed_height() {
    let mut desk = Desk::new();
    desk.say("notarize A @2", &[held("nullify @1"), proposed('A', 2, 0)]).expect("admitted");
    desk.say("finalize B @1", &[held("notarize B @1")]).expect("admitted");
    desk.guard.commit(Height(6));
    desk.write(vec![Record::AbstainThrough(Height(2))]);
    let replayed = Guard::replay(&desk.guard.compacted(), CHAIN, key(3).public()).expect("our own");
    assert_eq!(replayed.compacted(), desk.guard.compacted());
    assert_eq!((replayed.committed(), replayed.end()), (Height(6), HEIGHT));
    for (said, refused) in [
        ("notarize C @2", Refusal::Otherwise { slot: slot(2), what: "notarize" }),
        ("nullify @1", Refusal::Excluded { slot: slot(1), said: "finalized" }),
    ] {
        assert_eq!(replayed.admit(&Utterance::Vote(vote(said)), &[proposed('C', 2, 0)]), Err(refused));
    }
}

#[test]
fn compaction_drops_what_is_committed_and_remembers_that() {
    let mut desk = Desk::new();
    desk.say("nullify @1", &[]).expect("admitted");
    desk.guard.commit(HEIGHT);
    let records = desk.guard.compacted();
    assert_eq!(records, [Record::Owner(CHAIN, key(3).public()), Record::Committed(HEIGHT)]);
    let replayed = Guard::replay(&records, CHAIN, key(3).public()).expect("our own");
    assert_eq!((replayed.committed(), replayed.end()), (HEIGHT, HEIGHT));
}

#[test]
fn a_committed_height_is_covered_unless_we_spoke_in_it() {
    let mut desk = Desk::new();
    assert_eq!(desk.guard.cover(HEIGHT), Some(Record::Covers(HEIGHT)), "decided without us");
    desk.say("nullify @1", &[]).expect("admitted");
    assert_eq!(desk.guard.cover(HEIGHT), None);
    assert_eq!(desk.guard.cover(HEIGHT.next()), Some(Record::Covers(HEIGHT.next())));
    desk.write(vec![Record::Covers(HEIGHT.next())]);
    desk.restart();
    assert_eq!((desk.guard.end(), desk.guard.cover(HEIGHT.next())), (HEIGHT.next(), None));
}

proptest::proptest! {
    #[test]
    fn whatever_is_asked_no_two_signatures_contradict(
        asked in proptest::collection::vec((0..4u8, 1..4u32, 0..2u8, 0..8u8), 0..60)
    ) {
        let mut desk = Desk::new();
        let every_ground: Vec<Record> = (1..4)
            .flat_map(|view| [format!("nullify @{view}"), format!("notarize A @{view}")])
            .map(|said| held(&said))
            .collect();
        let mut said: Vec<Utterance> = Vec::new();
        for (kind, view, other, then) in asked {
            let name = ['A', 'B'][usize::from(other)];
            let proposal = Proposal { slot: slot(view), block: block(name), parent_view: View::NONE };
            let utterance = match kind {
                0 => Utterance::Vote(Vote::Notarize(slot(view), block(name))),
                1 => Utterance::Vote(Vote::Nullify(slot(view))),
                2 => Utterance::Vote(Vote::Finalize(slot(view), block(name))),
                _ => Utterance::Proposal(proposal),
            };
            let mut grounds = every_ground.clone();
            grounds.push(Record::LeaderProposal(sign_proposal(proposal, 4)));
            if desk.try_say(utterance, &grounds) == Ok(true) {
                said.push(utterance);
            }
            match then {
                0 => desk.restart(),
                1 => desk.journal = desk.guard.compacted().iter().map(Record::to_canonical).collect(),
                _ => {}
            }
        }
        for (i, a) in said.iter().enumerate() {
            for b in &said[i + 1..] {
                let contradictory = match (a, b) {
                    (Utterance::Vote(a), Utterance::Vote(b)) => contradict(*a, *b),
                    (Utterance::Proposal(a), Utterance::Proposal(b)) => a.slot == b.slot,
                    _ => false,
                };
                proptest::prop_assert!(!contradictory, "{a:?} and {b:?}");
            }
        }
    }
}

#[test]
fn another_nodes_journal_is_refused() {
    let (_, owner) = Guard::create(CHAIN, key(3).public());
    let replay = |records: &[Record], chain, own| Guard::replay(records, chain, own).map(|_| ());
    assert_eq!(replay(&[], CHAIN, key(3).public()), Err(ReplayError::NoOwner));
    assert_eq!(replay(&[Record::Covers(HEIGHT)], CHAIN, key(3).public()), Err(ReplayError::NoOwner));
    let wrong = Err(ReplayError::WrongOwner { chain: CHAIN, key: Box::new(key(3).public()) });
    assert_eq!(replay(std::slice::from_ref(&owner), CHAIN, key(2).public()), wrong);
    assert_eq!(replay(std::slice::from_ref(&owner), ChainId(Hash::ZERO), key(3).public()), wrong);
    let twice = [owner.clone(), Record::Covers(HEIGHT), owner];
    assert_eq!(replay(&twice, CHAIN, key(3).public()), Err(ReplayError::SecondOwner));
}

#[test]
fn a_recovered_record_that_does_not_verify_is_refused() {
    let mut desk = Desk::new();
    desk.say("nullify @1", &[]).expect("admitted");
    let (other_set, own_set) = (set(7), set(4));
    let strangers = ["set of another size"];
    let with = |validators| Electorate { chain: &CHAIN, height: HEIGHT, validators };
    assert_eq!(desk.guard.recovered(with(&own_set)).map(|found| found.votes.len()), Ok(1));
    desk.say("nullify @2", &[held("nullify @1")]).expect("admitted");
    assert!(desk.guard.recovered(with(&other_set)).is_err(), "{strangers:?}");
}

#[test]
fn records_have_one_byte_form_and_a_limit() {
    let records = [
        Record::Owner(CHAIN, key(3).public()),
        held("notarize A @1"),
        proposed('A', 1, 0),
        Record::OwnProposal(sign_proposal(
            Proposal { slot: slot(4), block: block('A'), parent_view: View(2) },
            4,
        )),
        Record::OwnVote(sign(vote("finalize A @1"), 3)),
        Record::AbstainThrough(HEIGHT),
        Record::Covers(HEIGHT),
        Record::Committed(HEIGHT),
        Record::Reset(GuardReset { key: key(3).public(), abstain_through: HEIGHT }),
    ];
    for (number, record) in (1..).zip(&records) {
        let bytes = record.to_canonical();
        assert_eq!(bytes[0], number, "numbers are for ever");
        assert_eq!(Record::read(&bytes).as_ref(), Ok(record));
        assert!(Record::read(&bytes[..bytes.len() - 1]).is_err(), "an incomplete record is none");
    }
    assert!(Record::read(&vec![2; limits::RECORD_BYTES_MAX + 1]).is_err());
    assert_eq!(Record::Covers(HEIGHT).to_canonical(), [7, 0, 0, 0, 0, 0, 0, 0, 7]);
}
