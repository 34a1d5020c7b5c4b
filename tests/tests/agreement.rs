//! Whole clusters of the real replica: what they agree on, and what they keep.

use tanba_consensus::message::{Proposal, SignedProposal, Standing};
use tanba_ledger::{
    BlockHash, Certificate, Height, Operation, SignedVote, Slot, ValidatorIndex, View, Vote,
    operation::Reason, testkit,
};
use tanba_node::{
    handle::{Outcome, Voting},
    message::Message,
};
use tanba_tests::cluster::{Cluster, Weather, node::Node};

/// What a node says that meets its own key elsewhere.
const TWIN: &str = "another process votes with this validator's key";

/// Every running node is at `height` or above.
fn all_at(height: u64) -> impl Fn(&Cluster) -> bool {
    move |cluster| cluster.heads().iter().flatten().all(|head| *head >= Height(height))
}

fn settle(cluster: &mut Cluster) {
    cluster.run_until(5_000, "every validator votes", |cluster| {
        cluster.nodes[..4].iter().all(|n| n.status.as_ref().is_some_and(|s| s.voting == Voting::Voting))
    });
}

#[test]
fn a_submitted_batch_becomes_final_on_every_node() {
    let mut cluster = Cluster::seeded(1);
    settle(&mut cluster);
    let batch = cluster.world.issue(0, 0, 20);
    let id = cluster.submit(0, batch);
    cluster.run_until(1_000, "the batch is final", |cluster| cluster.is_final(id));
    cluster.run_until(1_000, "observers follow", all_at(1));
    cluster.check_nothing_acknowledged_is_lost();
}

#[test]
fn an_idle_network_makes_heartbeats_and_nothing_else() {
    let mut cluster = Cluster::seeded(2);
    settle(&mut cluster);
    cluster.run_ms(30_000);
    let heads = cluster.heads();
    assert!(heads.iter().all(|head| (4..=6).contains(&head.expect("runs").0)), "one each 5 s: {heads:?}");
}

#[test]
fn issuing_goes_on_while_one_validator_is_down_and_it_catches_up() {
    let mut cluster = Cluster::seeded(3);
    settle(&mut cluster);
    for round in 0..30 {
        if round == 5 {
            cluster.crash(2);
        }
        if round == 20 {
            cluster.start(2);
        }
        let batch = cluster.world.issue((round % 2) as usize, round * 20, 20);
        let id = cluster.submit(0, batch);
        cluster.run_until(10_000, "the batch is final", |cluster| cluster.is_final(id));
    }
    let target = cluster.highest().0.0;
    cluster.run_until(10_000, "everyone is there", all_at(target));
    settle(&mut cluster);
    cluster.check_nothing_acknowledged_is_lost();
}

#[test]
fn a_network_that_lost_its_power_as_a_whole_gets_up_by_itself() {
    let mut cluster = Cluster::seeded(4);
    settle(&mut cluster);
    let mut ids = Vec::new();
    for number in 0..10 {
        let batch = cluster.world.issue(1, number * 20, 20);
        ids.push(cluster.submit(1, batch));
        cluster.run_ms(7);
    }
    for node in 0..6 {
        cluster.crash(node);
    }
    cluster.run_ms(1_000);
    for node in 0..6 {
        cluster.start(node);
    }
    let again = cluster.world.issue(3, 10_000, 20);
    let id = cluster.submit(3, again);
    cluster.run_until(20_000, "the network decides again", |cluster| cluster.is_final(id));
    cluster.check_nothing_acknowledged_is_lost();
}

#[test]
fn bad_weather_costs_time_and_nothing_else() {
    for seed in 10..30 {
        let mut cluster = Cluster::seeded(seed);
        settle(&mut cluster);
        cluster.links.weather =
            Weather { delay_ms_min: 1, delay_ms_max: 200, lost_per_mille: 150, doubled_per_mille: 100 };
        let ids: Vec<_> = (0..5)
            .map(|number| {
                let batch = cluster.world.issue(number as usize % 4, number * 20, 20);
                let id = cluster.submit(number as usize % 4, batch);
                cluster.run_ms(300);
                id
            })
            .collect();
        cluster.links.weather = tanba_tests::cluster::FAIR;
        cluster.run_until(60_000, "all are final", |c| ids.iter().all(|id| c.outcomes.contains_key(id)));
        assert!(ids.iter().all(|id| cluster.is_final(*id)), "seed {seed}: {:?}", cluster.outcomes);
        cluster.check_nothing_acknowledged_is_lost();
    }
}

#[test]
fn a_minority_decides_nothing_and_joins_when_the_network_heals() {
    let mut cluster = Cluster::seeded(5);
    settle(&mut cluster);
    cluster.partition(&[0, 1], &[2, 3, 4, 5]);
    let batch = cluster.world.issue(0, 0, 20);
    let id = cluster.submit(0, batch);
    cluster.run_ms(20_000);
    assert!(!cluster.is_final(id), "two of four decide nothing");
    cluster.partition(&[], &[]);
    cluster.run_until(15_000, "final after healing", |cluster| cluster.is_final(id));
}

#[test]
fn what_the_rules_refuse_is_refused_at_the_door() {
    let mut cluster = Cluster::seeded(6);
    settle(&mut cluster);
    let issue = cluster.world.issue(0, 0, 20);
    let first = cluster.submit(0, issue.clone());
    cluster.run_until(2_000, "final", |cluster| cluster.is_final(first));
    let again = cluster.submit(2, issue);
    cluster.run_until(2_000, "the same bytes again", |cluster| cluster.is_final(again));
    assert_eq!(cluster.outcomes[&first], cluster.outcomes[&again], "the receipt is the same");

    let wrong_version = testkit::changes(0, &[(0, 7)], Reason::Fraud);
    let revoke = cluster.world.operation(0, Operation::Revoke(wrong_version));
    let refused = cluster.submit(0, revoke);
    cluster.run_ms(100);
    assert!(matches!(cluster.outcomes[&refused], Outcome::Refused(_)), "{:?}", cluster.outcomes[&refused]);
}

/// A validator is shown what its key signed elsewhere; it stops at once, and says why.
fn stops_when_shown(shown: impl Fn(&Cluster) -> Message) {
    let mut cluster = Cluster::seeded(7);
    settle(&mut cluster);
    cluster.witness.expect_lost_promises(0);
    let message = shown(&cluster);
    cluster.say(1, 0, message);
    cluster.run_ms(10);
    assert!(cluster.stopped[&0].contains(TWIN));
}

/// A validator's vote to give up the first view.
fn nullify(cluster: &Cluster, number: u16) -> SignedVote {
    let vote = Vote::Nullify(Slot { height: Height(1), view: View(1) });
    let key = testkit::keys(number.into()).validator;
    SignedVote::sign(vote, ValidatorIndex(number), &cluster.world.chain, &key)
}

#[test]
fn a_validator_that_meets_its_own_key_elsewhere_stops() {
    stops_when_shown(|cluster| Message::Vote(nullify(cluster, 0)));
}

#[test]
fn a_validator_that_meets_its_own_key_in_a_certificate_stops() {
    let certificate = |cluster: &Cluster| {
        let votes = [0, 1, 2].map(|number| nullify(cluster, number));
        Certificate::assemble(votes[0].vote, &votes, &cluster.world.tip.validators)
    };
    stops_when_shown(|cluster| Message::Certificate(certificate(cluster)));
    stops_when_shown(|cluster| Message::Justification(vec![certificate(cluster)]));
}

#[test]
fn a_validator_that_meets_its_own_proposal_in_a_peers_standing_stops() {
    stops_when_shown(|cluster| {
        let validators = &cluster.world.tip.validators;
        let mut slots = (1..5).map(|view| Slot { height: Height(1), view: View(view) });
        let slot = slots.find(|slot| validators.leader(slot.height, slot.view) == ValidatorIndex(0));
        let slot = slot.expect("one of four views");
        let proposal = Proposal { slot, block: BlockHash(cluster.world.tip.hash.0), parent_view: View::NONE };
        let signed = SignedProposal::sign(proposal, &cluster.world.chain, &testkit::keys(0).validator);
        let standing =
            Standing { slot, proposal: Some(signed), votes: Vec::new(), justification: Vec::new() };
        Message::Standing(Box::new(standing))
    });
}

#[test]
fn a_validator_that_catches_up_with_what_a_copy_of_its_home_has_signed_stops() {
    let mut cluster = Cluster::seeded(7);
    settle(&mut cluster);
    let copy = cluster.nodes.len();
    cluster.nodes.push(Node::founded(cluster.universities(), 0));
    for one in [0, copy] {
        cluster.witness.expect_lost_promises(one);
    }
    // The copy and two others decide, so that its vote is needed; then it is gone.
    cluster.partition(&[0], &[1, 2, 3, 4, 5, copy]);
    cluster.crash(3);
    cluster.start(copy);
    for number in 0..4 {
        let batch = cluster.world.issue(1, number * 20, 20);
        let id = cluster.submit(1, batch);
        cluster.run_until(20_000, "final", |cluster| cluster.is_final(id));
    }
    cluster.kill(copy);
    cluster.partition(&[], &[]);
    cluster.run_ms(2_000);
    assert!(cluster.stopped[&0].contains(TWIN));
}

#[test]
fn a_validator_whose_journal_is_lost_is_silent_until_it_is_safe() {
    let mut cluster = Cluster::seeded(8);
    settle(&mut cluster);
    let first = cluster.world.issue(0, 0, 20);
    let first = cluster.submit(0, first);
    cluster.run_until(2_000, "final", |cluster| cluster.is_final(first));
    cluster.crash(1);
    cluster.nodes[1].disk.lose_journal();
    cluster.witness.expect_lost_promises(1);
    cluster.start(1);
    cluster.run_until(5_000, "it has heard the others", |cluster| {
        matches!(cluster.nodes[1].status.as_ref().map(|s| &s.voting), Some(Voting::AbstainingThrough(_)))
    });
    cluster.run_until(60_000, "it votes again, above what it may have promised", |cluster| {
        cluster.nodes[1].status.as_ref().is_some_and(|status| status.voting == Voting::Voting)
    });
}

#[test]
fn a_peer_that_claims_the_highest_of_all_heights_does_no_harm() {
    let mut cluster = Cluster::seeded(9);
    settle(&mut cluster);
    cluster.say(1, 0, Message::Head(Height(u64::MAX)));
    cluster.run_ms(3_000);
    let batch = cluster.world.issue(0, 0, 20);
    let id = cluster.submit(0, batch);
    cluster.run_until(2_000, "the batch is final", |cluster| cluster.is_final(id));
}

#[test]
fn what_conflicts_with_a_final_transaction_does_not_keep_the_network_awake() {
    let mut cluster = Cluster::seeded(10);
    settle(&mut cluster);
    let issue = cluster.world.issue(0, 0, 20);
    let issued = cluster.submit(0, issue);
    cluster.run_until(2_000, "final", |cluster| cluster.is_final(issued));
    let revoke = testkit::changes(0, &[(3, 1)], Reason::Fraud);
    let suspend = testkit::changes(0, &[(3, 1)], Reason::Investigation);
    let first = cluster.world.operation(0, Operation::Revoke(revoke));
    let second = cluster.world.operation(0, Operation::Suspend(suspend));
    let ids = [cluster.submit(1, first), cluster.submit(2, second)];
    cluster.run_until(5_000, "each has its end", |c| ids.iter().all(|id| c.outcomes.contains_key(id)));
    assert_eq!(ids.iter().filter(|id| cluster.is_final(**id)).count(), 1, "{:?}", cluster.outcomes);
    cluster.run_ms(50);
    let views: Vec<_> =
        cluster.nodes.iter().filter_map(|n| n.status.as_ref()).map(|s| (s.view, s.mempool_count)).collect();
    assert!(views.iter().all(|(view, waiting)| *view == View(1) && *waiting == 0), "at rest: {views:?}");
}

#[test]
fn a_restarted_validator_catches_up_while_blocks_go_on_coming() {
    for seed in 100..145 {
        let mut cluster = Cluster::seeded(seed);
        settle(&mut cluster);
        cluster.links.weather = Weather { delay_ms_min: 1, delay_ms_max: 40, ..tanba_tests::cluster::FAIR };
        let mut ids = Vec::new();
        for round in 0..24 {
            if round == 4 {
                cluster.crash(2);
            }
            if round == 8 {
                cluster.start(2);
            }
            let batch = cluster.world.issue((round % 2) as usize, round * 20, 20);
            ids.push(cluster.submit(0, batch));
            cluster.run_ms(30);
        }
        cluster.run_until(60_000, "all are final", |cluster| ids.iter().all(|id| cluster.is_final(*id)));
        let target = cluster.highest().0.0;
        cluster.run_until(10_000, "everyone is there", all_at(target));
    }
}
