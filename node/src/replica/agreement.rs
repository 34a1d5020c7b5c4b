//! Between the peers and the consensus engine: what they say is checked and becomes input; what the engine
//! puts out becomes promises, signatures and messages.

use std::sync::Arc;

use tanba_consensus::{
    guard::Admission,
    input::Input,
    message::{SignedProposal, Standing},
    output::{Audience, Output},
    promise::{Record, Utterance},
};
use tanba_crypto::{Canonical, Hash, PublicKey, Verified};
use tanba_ledger::{
    BlockHash, Certificate, CertificateKind, Height, SignedVote, Slot, Transaction, ValidatorIndex, View,
    certificate::Electorate, limits::BLOCK_BYTES_MAX,
};
use tanba_storage::{Store, StoreReader};

use super::{Replica, Stop, action::Action, event::ChannelId, timer::Timer};
use crate::{
    delays::EVIDENCE_WINDOW,
    message::{Message, ProposalMessage, Request, Response},
};

/// Bytes of transactions sent at once when a leader does not react.
const FORWARD_BYTES_MAX: usize = 1 << 20;

impl<S: Store> Replica<S> {
    /// Hears a peer. Whatever does not verify is dropped; whatever belongs to another height shows who lags.
    pub(super) fn hear(&mut self, from: PublicKey, message: Message) -> Result<(), Stop> {
        let height = match &message {
            Message::Head(head) => {
                self.saw_head(from, *head);
                let next = head.0.checked_add(1).map(Height);
                if let (Some(peer), Some(height)) = (self.peers.index_of(&from, &self.tip.validators), next) {
                    self.engine.handle(Input::PeerAt { peer, slot: Slot { height, view: View::FIRST } });
                }
                return Ok(());
            }
            Message::Proposal(message) => message.proposal.proposal.slot.height,
            Message::Vote(signed) => signed.vote.slot().height,
            Message::Certificate(certificate) => certificate.slot().height,
            Message::Justification(certificates) => match certificates.first() {
                Some(first) => first.slot().height,
                None => return Ok(()),
            },
            Message::Standing(standing) => standing.slot.height,
            Message::Wanted(wanted) => {
                if let Some(by) = self.peers.index_of(&from, &self.tip.validators) {
                    self.engine.handle(Input::JustificationAsked { by, wanted: *wanted });
                }
                return Ok(());
            }
            // The driver checks their approvals first and hands each over by itself.
            Message::Transactions(_) => return Ok(()),
        };
        if height > self.height() {
            // Whoever works on a height has committed the one below.
            if let Some(head) = height.previous() {
                self.saw_head(from, head);
            }
            let from_validator = self.peers.index_of(&from, &self.tip.validators).is_some();
            if from_validator && height == self.height().next() {
                self.ahead.keep(height, from, message);
            }
            return Ok(());
        }
        match message {
            Message::Proposal(message) if height == self.height() => self.hear_proposal(*message)?,
            Message::Vote(signed) => self.hear_vote(signed)?,
            Message::Certificate(certificate) if height == self.height() => {
                if let Some(checked) = self.check_certificate(certificate)? {
                    self.engine.handle(Input::Certificate(checked));
                }
            }
            Message::Justification(certificates) if height == self.height() => {
                self.hear_certificates(certificates)?;
            }
            Message::Standing(standing) => self.hear_standing(from, *standing)?,
            Message::Proposal(_) | Message::Certificate(_) | Message::Justification(_) => {}
            Message::Head(_) | Message::Wanted(_) | Message::Transactions(_) => unreachable!("handled above"),
        }
        Ok(())
    }

    fn hear_proposal(&mut self, message: ProposalMessage) -> Result<(), Stop> {
        let Some(signed) = self.check_proposal(message.proposal)? else { return Ok(()) };
        if let Some(certificate) = message.notarization
            && certificate.slot().height == self.height()
            && let Some(checked) = self.check_certificate(certificate)?
        {
            self.engine.handle(Input::Certificate(checked));
        }
        if let Some(outline) = message.outline
            && signed.proposal.slot.view <= self.view.next()
        {
            self.blocks.note(signed.proposal.block, outline);
        }
        self.engine.handle(Input::Proposal(signed));
        Ok(())
    }

    fn hear_vote(&mut self, signed: SignedVote) -> Result<(), Stop> {
        let height = signed.vote.slot().height;
        if height.0.saturating_add(EVIDENCE_WINDOW) < self.height().0 {
            return Ok(());
        }
        let late = height < self.height();
        if late && !self.same_set_at(height)? {
            return Ok(());
        }
        let electorate = Electorate { height, ..self.electorate() };
        match Verified::check(signed, electorate) {
            Ok(checked) => {
                if self.own_index() == Some(checked.voter) {
                    self.refuse_twin(&Record::OwnVote(*checked))?;
                }
                self.engine.handle(Input::Vote(checked));
            }
            Err(error) => tracing::debug!(slot = ?signed.vote.slot(), %error, "a vote does not verify"),
        }
        Ok(())
    }

    /// A signature of our own key that the journal lacks was made by another process with the same key. One of
    /// the two must end before they contradict each other.
    fn refuse_twin(&self, shown: &Record) -> Result<(), Stop> {
        let (Some(voice), Some(height)) = (&self.voice, shown.height()) else { return Ok(()) };
        let ours_alone = self.startup.is_over() && voice.guard.may_speak_at(height);
        if ours_alone && !voice.guard.knows(shown) { Err(Stop::Twin { height }) } else { Ok(()) }
    }

    /// The same of our vote in a certificate that verifies: whoever was away may see its twin in nothing else.
    pub(super) fn refuse_twin_in(&self, certificate: &Certificate) -> Result<(), Stop> {
        let own = self.own_index();
        let shown = certificate.votes().find(|signed| Some(signed.voter) == own);
        shown.map_or(Ok(()), |signed| self.refuse_twin(&Record::OwnVote(signed)))
    }

    /// Whether a decided height had the set that we hold: votes for it can then be checked.
    fn same_set_at(&self, height: Height) -> Result<bool, Stop> {
        let header = self.reader.header(height)?;
        Ok(header.is_some_and(|header| header.validators == self.tip.header.next_validators))
    }

    fn hear_certificates(&mut self, certificates: Vec<Certificate>) -> Result<(), Stop> {
        let height = self.height();
        let present = certificates.into_iter().filter(|certificate| certificate.slot().height == height);
        let checked = present.filter_map(|certificate| self.check_certificate(certificate).transpose());
        let checked = checked.collect::<Result<Vec<_>, _>>()?;
        if !checked.is_empty() {
            self.engine.handle(Input::Justification(checked));
        }
        Ok(())
    }

    fn hear_standing(&mut self, from: PublicKey, standing: Standing) -> Result<(), Stop> {
        let slot = standing.slot;
        if slot.height == self.height() {
            self.hear_certificates(standing.justification)?;
            if let Some(signed) = standing.proposal
                && let Some(checked) = self.check_proposal(signed)?
            {
                self.engine.handle(Input::Proposal(checked));
            }
            for signed in standing.votes {
                if signed.vote.slot().height == slot.height {
                    self.hear_vote(signed)?;
                }
            }
        }
        if let Some(peer) = self.peers.index_of(&from, &self.tip.validators) {
            self.engine.handle(Input::PeerAt { peer, slot });
        }
        Ok(())
    }

    /// Checks a proposal of the present height; `None` if it does not verify.
    fn check_proposal(&self, signed: SignedProposal) -> Result<Option<Verified<SignedProposal>>, Stop> {
        let slot = signed.proposal.slot;
        let Ok(checked) = Verified::check(signed, self.electorate()) else {
            tracing::debug!(?slot, "a proposal does not verify");
            return Ok(None);
        };
        if self.own_index() == Some(self.tip.validators.leader(slot.height, slot.view)) {
            self.refuse_twin(&Record::OwnProposal(*checked))?;
        }
        Ok(Some(checked))
    }

    /// Checks a certificate of the present height; `None` if it does not verify or says what is known.
    fn check_certificate(&mut self, certificate: Certificate) -> Result<Option<Verified<Certificate>>, Stop> {
        if self.certificates.contains(&certificate.vote) {
            return Ok(None);
        }
        match Verified::check(certificate, self.electorate()) {
            Ok(checked) => {
                self.refuse_twin_in(&checked)?;
                self.certificates.insert(checked.vote);
                Ok(Some(checked))
            }
            Err(error) => {
                tracing::debug!(%error, "a certificate does not verify");
                Ok(None)
            }
        }
    }

    /// Performs everything the engine asks for.
    pub(super) fn drain(&mut self) -> Result<(), Stop> {
        while let Some(output) = self.engine.next_output() {
            self.perform(output)?;
        }
        Ok(())
    }

    pub(super) fn perform(&mut self, output: Output) -> Result<(), Stop> {
        match output {
            Output::Entered(slot) => {
                self.view = slot.view;
                self.blocks.enter(slot.view);
                self.report_status();
            }
            Output::Build(slot) => self.build(slot)?,
            Output::Check { block, purpose, holders } => self.check(block, purpose, &holders)?,
            Output::Speak { utterance, grounds } => self.speak(utterance, grounds)?,
            Output::Broadcast(certificate) => {
                self.certificates.insert(certificate.vote);
                self.broadcast(Message::Certificate(certificate));
            }
            Output::Resend(standing) => self.broadcast(Message::Standing(Box::new(standing))),
            Output::SendJustification { to, certificates } => {
                self.send(to, Message::Justification(certificates))
            }
            Output::PullJustification { from, wanted } => self.send(from, Message::Wanted(wanted)),
            Output::SendFinalization { to, height } => {
                if let Some(certificate) = self.reader.finalization(height)? {
                    self.send(to, Message::Certificate(certificate));
                }
            }
            Output::ForwardWork(audience) => self.forward_work(audience),
            Output::ScheduleTimeout { timeout, delay_ms } => {
                self.schedule(Timer::Consensus(timeout), delay_ms)
            }
            Output::Decide(certificate) => self.decided(certificate)?,
            Output::Equivocation(evidence) => {
                tracing::error!(
                    ?evidence,
                    "a validator contradicted itself; both signatures are in this line"
                );
                self.report_equivocation(&evidence);
            }
            Output::Diverged { slot, block } => return Err(self.diverged(slot.height, block)),
        }
        Ok(())
    }

    /// Signs and sends: through the guard, to the journal with one sync, and only then to the peers.
    fn speak(&mut self, utterance: Utterance, grounds: Vec<Record>) -> Result<(), Stop> {
        let own = self.own_index().expect("the engine speaks for a member alone");
        let voice = self.voice.as_mut().expect("the engine speaks for a validator alone");
        let record = match voice.guard.admit(&utterance, &grounds) {
            Ok(Admission::Repeat(record)) => record,
            Ok(Admission::New(promise)) => {
                let signature = voice.signer.sign(&promise, &self.chain);
                let records = promise.into_records(own, signature);
                let bytes: Vec<Vec<u8>> = records.iter().map(Canonical::to_canonical).collect();
                self.store.journal().append(&bytes)?;
                voice.guard.remember(&records);
                records.into_iter().next_back().expect("a promise is its own last record")
            }
            Err(refusal) => {
                // The engine asks only for what it may say; whatever it overlooked ends here, unsigned.
                self.refusals += 1;
                tracing::error!(%refusal, ?utterance, "the promise guard refused to sign");
                return Ok(());
            }
        };
        match record {
            Record::OwnVote(signed) => {
                self.broadcast(Message::Vote(signed));
                let checked = Verified::check(signed, self.electorate()).expect("our own signature verifies");
                self.engine.handle(Input::Vote(checked));
            }
            Record::OwnProposal(signed) => {
                self.send_proposal(signed, &grounds);
                let checked = Verified::check(signed, self.electorate()).expect("our own signature verifies");
                self.engine.handle(Input::Proposal(checked));
            }
            other => unreachable!("the guard repeats what it signed, not {other:?}"),
        }
        Ok(())
    }

    fn send_proposal(&mut self, signed: SignedProposal, grounds: &[Record]) {
        let parent = Slot { view: signed.proposal.parent_view, ..signed.proposal.slot };
        let notarization = grounds.iter().find_map(|ground| match ground {
            Record::Certificate(c) if c.slot() == parent && c.kind() == CertificateKind::Notarization => {
                Some(c.clone())
            }
            _ => None,
        });
        let outline = self.blocks.get(&signed.proposal.block).and_then(|pending| pending.outline()).cloned();
        self.broadcast(Message::Proposal(Box::new(ProposalMessage {
            proposal: signed,
            notarization,
            outline,
        })));
    }

    /// Gossip has carried every waiting transaction to the leader already; only when no block comes of it are
    /// they sent again, straight to every validator.
    fn forward_work(&mut self, audience: Audience) {
        match audience {
            Audience::Leader(_) => {}
            Audience::All => {
                let mut bytes = 0;
                let fits = |transaction: &Transaction| {
                    bytes += transaction.to_canonical().len();
                    bytes <= FORWARD_BYTES_MAX
                };
                let waiting = self.mempool.candidates();
                let page: Vec<Transaction> =
                    waiting.iter().map(|w| (**w.transaction).clone()).take_while(fits).collect();
                if !page.is_empty() {
                    self.broadcast(Message::Transactions(page));
                }
            }
        }
    }

    /// Those of the transactions that are held, of one block's size together: more no block can need.
    fn held(&self, block: &BlockHash, names: &[Hash]) -> Vec<Transaction> {
        let held = self.blocks.get(block).map(|pending| pending.held(names)).unwrap_or_default();
        if !held.is_empty() {
            return held;
        }
        let mut bytes = 0;
        let waiting = names.iter().filter_map(|name| self.mempool.by_bytes(name));
        let fitting = waiting.take_while(|waiting| {
            bytes += waiting.length_bytes();
            bytes <= BLOCK_BYTES_MAX
        });
        fitting.map(|waiting| (**waiting.transaction).clone()).collect()
    }

    pub(super) fn broadcast(&mut self, message: Message) {
        self.actions.push(Action::Broadcast(Arc::new(message)));
    }

    fn send(&mut self, to: ValidatorIndex, message: Message) {
        let message = Arc::new(message);
        for node in self.peers.nodes_of(to, &self.tip.validators) {
            self.actions.push(Action::Send { to: node, message: message.clone() });
        }
    }

    /// Answers a peer's question. Blocks are served by the driver, from the store's reader, without us.
    pub(super) fn answer(&mut self, channel: ChannelId, request: Request) -> Result<(), Stop> {
        let response = match request {
            Request::Blocks(_) => Response::Blocks(Vec::new()),
            Request::Body(block) => Response::Body(self.body_of(&block)?),
            Request::Transactions(block, names) => Response::Transactions(self.held(&block, &names)),
            Request::Memory(inquiry) => match self.remembered(inquiry)? {
                Some(answer) => Response::Memory(Box::new(answer)),
                None => Response::Blocks(Vec::new()),
            },
        };
        self.actions.push(Action::Answer { channel, response });
        Ok(())
    }
}
