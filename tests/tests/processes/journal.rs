//! A validator that lost what it had signed.

use std::fs;

use tanba_ledger::Height;
use tanba_proto::ledger::v1::Voting;
use tanba_tests::network::{Network, eventually};

use crate::{folder, program};

/// The validator that loses its journal, and one that is stopped at the end so that the first is needed.
const LOSER: usize = 2;
const STOPPED: usize = 0;

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_without_its_journal_says_so_and_is_silent_until_that_is_safe() {
    let folder = folder();
    let mut network = Network::run(program(), folder.path()).await;
    let first = network.issue(0, 0, 20);
    let place = network.make_final(0, &first).await;
    network.reaches(LOSER, place.height).await;

    network.stop(LOSER).await;
    fs::remove_dir_all(network.home(LOSER).join("journal")).expect("removed");
    network.start(LOSER).await;
    let begins = network.height(LOSER).await;
    assert!(network.log(LOSER).contains("it is silent until that is safe"), "{}", network.log(LOSER));

    // The others decide, and what they decide never bears its name until the height it abstains through.
    let abstains = async || network.status(LOSER).await.abstaining_through_height;
    let through = Height(eventually("the validator knows how long it is silent", abstains).await);
    assert!(through > begins, "it abstains through {through}, its head is {begins}");
    let mut diploma = 20;
    while network.height(1).await <= through {
        let batch = network.issue(1, diploma, 20);
        network.make_final(1, &batch).await;
        diploma += 20;
    }
    for height in place.height.0 + 1..=through.0 {
        let (_, certificate) = network.client(1).header(Height(height)).await.expect("a header");
        let certificate = certificate.expect("a final block has a certificate");
        let own = network.founded.genesis.delta().tip.validators.clone();
        let loser = network.founded.universities()[LOSER].bin;
        let signed =
            certificate.signer_indices().any(|signer| own.get(signer).map(|it| it.bin) == Some(loser));
        assert!(!signed || Height(height) <= begins, "it was silent at {height}");
    }

    // Three of four votes decide: with one validator stopped, the silent one is needed.
    network.votes(LOSER).await;
    network.stop(STOPPED).await;
    let last = network.issue(1, diploma, 20);
    network.make_final(LOSER, &last).await;
    assert_eq!(network.proven(LOSER, first.id()).await, place.height);
    assert_eq!(network.status(LOSER).await.voting(), Voting::Voting);
    network.start(STOPPED).await;
    network.stop_all().await;
}
