//! What a run shows beyond issuing: forgeries that fail, changes that are proven, and a leader that lies in vain.

use tanba_credential::holder;
use tanba_crypto::SigningKey;
use tanba_ledger::{
    Approval, Fingerprint, Height, Operation, Transaction, TransactionBody, View,
    operation::{
        HolderAct, Reason, Replacement, Replacements, StandingChange, StandingChanges, replace_link,
    },
    proof::{At, Verdict},
    record::KeyRole,
};
use tokio::time::Instant;

use super::{
    DevnetError, Report, checks,
    class::{self, Batch, Issued},
    dishonest,
    story::{COMES_WITHIN, Devnet, Teller, late},
};
use crate::issue::Roster;

/// The validator that lies at the end.
const LIAR: usize = 3;

impl Devnet {
    pub(super) async fn show_refusals(
        &self,
        graduates: &[Issued],
        roster: &Roster,
        report: &mut Report,
        teller: &impl Teller,
    ) -> Result<(), DevnetError> {
        let (_, forged) = self.one_more(roster, graduates[0].university)?;
        checks::is_absent(&self.founded, &self.observer, &forged).await?;
        report.shown.push("a forged diploma is proven absent".to_owned());
        checks::changed_does_not_match(&graduates[1])?;
        report.shown.push("a changed diploma does not match its fingerprint".to_owned());

        let (one, _) = self.one_more(roster, 0)?;
        let mut half = one.transaction;
        half.approvals.truncate(1);
        let client = self.any_client().await;
        checks::refused_with(client.submit(&half).await.map(|_| ()), "APPROVAL_MISSING")?;
        report.shown.push("a mint approved by one officer alone is refused at the door".to_owned());
        teller.say("refused: a forged diploma, a changed one, and a mint with one approval");
        Ok(())
    }

    /// One more diploma of a university, in a transaction of its own.
    fn one_more(&self, roster: &Roster, university: usize) -> Result<(Batch, Issued), DevnetError> {
        let rows = class::rows_of(roster, university);
        let (mut batches, mut issued) = class::make(&self.founded, university, &rows[..1], 1)?;
        Ok((batches.remove(0), issued.remove(0)))
    }

    pub(super) async fn show_changes(
        &self,
        graduates: &[Issued],
        roster: &Roster,
        before: Height,
        report: &mut Report,
        teller: &impl Teller,
    ) -> Result<(), DevnetError> {
        let [revoked, replaced, withdrawn] = [&graduates[0], &graduates[1], &graduates[2]];
        self.make_final(&self.revocation(revoked)).await?;
        let (next, next_issued) = self.one_more(roster, replaced.university)?;
        self.make_final(&next.transaction).await?;
        self.make_final(&self.replacement(replaced, &next_issued)?).await?;
        self.make_final(&self.withdrawal(withdrawn)?).await?;

        for (issued, word) in [(revoked, "REVOKED"), (replaced, "REPLACED"), (withdrawn, "WITHDRAWN")] {
            let (now, _) = checks::verdict(&self.founded, &self.observer, issued, At::Head).await?;
            if !now.code().contains(word) {
                return Err(DevnetError::broken(
                    "changes",
                    format!("{} where {word} was expected", now.code()),
                ));
            }
            let (then, _) =
                checks::verdict(&self.founded, &self.observer, issued, At::Height(before)).await?;
            if !matches!(then, Verdict::Valid(_)) {
                let what = format!("{} at height {before}, where it was valid", then.code());
                return Err(DevnetError::broken("changes", what));
            }
        }
        report.shown.push(format!(
            "one diploma revoked, one replaced, one withdrawn by its holder; all three still proven valid at height {before}"
        ));
        teller.say("revoked one diploma, replaced one, and a holder withdrew one: new and old states proven");
        Ok(())
    }

    fn revocation(&self, issued: &Issued) -> Transaction {
        let party = &self.founded.universities()[issued.university];
        let fingerprint = Fingerprint(issued.file.fingerprint);
        let change = StandingChange { fingerprint, version: 1, reason: Reason::IssuedInError };
        let operation = Operation::Revoke(StandingChanges { issuer: party.bin, changes: vec![change] });
        class::operation(&self.founded, party, operation, &[KeyRole::Registrar, KeyRole::Approver])
    }

    fn replacement(&self, issued: &Issued, next: &Issued) -> Result<Transaction, DevnetError> {
        let party = &self.founded.universities()[issued.university];
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| DevnetError::Class(error.to_string()))?;
        let replacement = Replacement {
            fingerprint: Fingerprint(issued.file.fingerprint),
            version: 1,
            reason: Reason::Correction,
            link: replace_link(&salt, &Fingerprint(next.file.fingerprint)),
        };
        let operation = Operation::Replace(Replacements { issuer: party.bin, changes: vec![replacement] });
        Ok(class::operation(&self.founded, party, operation, &[KeyRole::Registrar, KeyRole::Approver]))
    }

    /// The holder's own act: by the control key of the file, through any node, without the university.
    fn withdrawal(&self, issued: &Issued) -> Result<Transaction, DevnetError> {
        holder::open(&issued.file).map_err(|error| DevnetError::Class(error.to_string()))?;
        let secret = issued.file.control_secret.expect("prepare drew the key");
        let (chain, issuer) =
            (self.founded.genesis.chain_id(), self.founded.universities()[issued.university].bin);
        let fingerprint = Fingerprint(issued.file.fingerprint);
        let act = HolderAct { issuer, fingerprint, version: 1, request: None };
        let body = TransactionBody {
            chain,
            institution: issuer,
            expiry: class::expiry(),
            operation: Operation::Withdraw(act),
            audit: None,
        };
        let approval = Approval::by_holder(&chain, body.id(), &SigningKey::ed25519(&secret));
        Ok(Transaction { body, approvals: vec![approval] })
    }

    /// Stops one validator when its turn to lead comes, lies in its name, and starts it again.
    pub(super) async fn show_dishonest_leader(
        &mut self,
        roster: &Roster,
        report: &mut Report,
        teller: &impl Teller,
    ) -> Result<(), DevnetError> {
        let deadline = Instant::now() + COMES_WITHIN;
        let (lie, _) = self.one_more(roster, LIAR)?;
        let mut half = lie.transaction.clone();
        half.approvals.truncate(1);
        let reaction = loop {
            self.liar_leads_next(roster).await?;
            self.clients.write().await[LIAR] = None;
            self.nodes[LIAR].stop().await?;
            let liar = &self.founded.universities()[LIAR];
            let reaction =
                dishonest::propose_half_approved(&self.founded, liar, &lie.transaction, &half).await?;
            self.nodes[LIAR].start()?;
            let client = self.nodes[LIAR].ready().await?;
            self.clients.write().await[LIAR] = Some(client);
            match reaction {
                Some(reaction) => break reaction,
                None => late(deadline, "a dishonest leader", "its turn passed each time")?,
            }
        };
        if reaction.notarized > 0 {
            let what = format!("{} validators voted for the block", reaction.notarized);
            return Err(DevnetError::broken("a dishonest leader", what));
        }
        report.shown.push(format!(
            "a leader put that mint into a block: {} of 3 honest validators voted to pass over it, none for it",
            reaction.nullified
        ));
        // The height that was passed over is decided with an honest block, without the mint.
        let (honest, _) = self.one_more(roster, 0)?;
        let height = self.make_final(&honest.transaction).await?;
        if height < reaction.slot.height {
            return Err(DevnetError::broken("a dishonest leader", "the height was not decided"));
        }
        let minted = self.observer.receipt(lie.transaction.id(), &checks::trust(&self.founded)).await;
        if minted.is_ok() {
            return Err(DevnetError::broken("a dishonest leader", "the mint is final"));
        }
        teller.say(
            "a dishonest leader proposed the mint with one approval: passed over by every honest validator",
        );
        Ok(())
    }

    /// Makes blocks until the liar leads the first view of the next height.
    async fn liar_leads_next(&self, roster: &Roster) -> Result<(), DevnetError> {
        let validators = &self.founded.genesis.delta().tip.validators;
        let own = self.founded.universities()[LIAR].bin;
        let deadline = Instant::now() + COMES_WITHIN;
        loop {
            late(deadline, "a dishonest leader", "its turn does not come")?;
            let client = self.any_client().await;
            let next = client.node_info().await?.as_of.height.next();
            let leader = validators.leader(next, View::FIRST);
            if validators.get(leader).map(|member| member.bin) == Some(own) {
                let liar = self.clients.read().await[LIAR].clone().expect("it runs");
                return self.reaches(&liar, Height(next.0 - 1)).await;
            }
            let (filler, _) = self.one_more(roster, 1)?;
            self.make_final(&filler.transaction).await?;
        }
    }
}
