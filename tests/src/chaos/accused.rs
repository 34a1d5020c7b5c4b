//! Whom a line of a log accuses of having contradicted itself. The line shows the evidence as the program writes it for
//! people; who signed it is read from there.

use tanba_ledger::{Height, ValidatorIndex, ValidatorSet, View};

/// The validator that the evidence in `line` names; none if the line is not understood.
pub(super) fn accused(line: &str, validators: &ValidatorSet) -> Option<ValidatorIndex> {
    let (_, evidence) = line.split_once("evidence=")?;
    if evidence.starts_with("Votes(") {
        let voter = |part: &str| Some(ValidatorIndex(number(part, "ValidatorIndex(")?));
        let (first, second) = evidence.rsplit_once("SignedVote {")?;
        let (first, second) = (voter(first)?, voter(second)?);
        return (first == second).then_some(first);
    }
    if evidence.starts_with("Proposals(") {
        // A proposal does not name its leader; its slot does.
        return Some(
            validators.leader(Height(number(evidence, "Height(")?), View(number(evidence, "View(")?)),
        );
    }
    None
}

/// The number behind the first `opening`.
fn number<N: std::str::FromStr>(text: &str, opening: &str) -> Option<N> {
    let (_, rest) = text.split_once(opening)?;
    rest.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use tanba_consensus::{
        evidence::Evidence,
        message::{Proposal, SignedProposal},
    };
    use tanba_crypto::{Hash, SigningKey};
    use tanba_ledger::{BlockHash, ChainId, SignedVote, Slot, Vote};

    use super::*;

    #[test]
    fn the_offender_is_read_from_what_the_node_writes() {
        let validators = tanba_ledger::testkit::records().validators;
        let (chain, key) = (ChainId(Hash::plain(b"a chain")), SigningKey::ed25519(&[1; 32]));
        let slot = Slot { height: Height(9), view: View(2) };
        let block = |n: u8| BlockHash(Hash::plain(&[n]));
        let vote =
            |voter, n| SignedVote::sign(Vote::Notarize(slot, block(n)), ValidatorIndex(voter), &chain, &key);
        let proposal = |n| {
            let proposal = Proposal { slot, block: block(n), parent_view: View::NONE };
            SignedProposal::sign(proposal, &chain, &key)
        };
        let read = |evidence: Evidence| {
            accused(&format!("ERROR a validator contradicted itself evidence={evidence:?}"), &validators)
        };
        assert_eq!(read(Evidence::Votes(vote(2, 1), vote(2, 2))), Some(ValidatorIndex(2)));
        assert_eq!(read(Evidence::Votes(vote(2, 1), vote(3, 2))), None);
        assert_eq!(
            read(Evidence::Proposals(proposal(1), proposal(2))),
            Some(validators.leader(slot.height, slot.view))
        );
        assert_eq!(accused("ERROR something else", &validators), None);
    }
}
