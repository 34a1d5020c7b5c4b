//! The one door to history. Agreement and catch-up both end here, and whatever is asserted here is asserted
//! for both.

use tanba_consensus::promise::Record;
use tanba_crypto::{Canonical, Verified, planted};
use tanba_ledger::{
    Block, BlockHash, Certificate, CertificateKind, Header, Timestamp, Transaction,
    state::{self, BlockError, Delta},
};
use tanba_storage::{Position, Store, StoreReader};

use super::{Replica, Stop, action::Action, checks::is_body_mismatch, timer::Timer};
use crate::message::{Announcement, CheckedBlock};

/// A heartbeat is looked for at least this often, so that a clock that was set is noticed, in milliseconds.
const HEARTBEAT_LOOK_MS: u64 = 30_000;

/// A journal larger than this is rewritten with what still binds, in bytes.
const JOURNAL_BYTES_MAX: u64 = 8 << 20;

impl<S: Store> Replica<S> {
    /// A quorum finalized a block of the present height.
    pub(super) fn decided(&mut self, finalization: Certificate) -> Result<(), Stop> {
        let hash = finalization.vote.block().expect("a finalization names its block");
        let own = self.own_index();
        let signers: Vec<_> = finalization.signer_indices().filter(|signer| Some(*signer) != own).collect();
        let holders: Vec<_> = signers
            .into_iter()
            .flat_map(|signer| self.peers.nodes_of(signer, &self.tip.validators))
            .collect();
        self.deciding = Some(finalization);
        let pending = self.blocks.wanted(hash);
        for node in holders {
            if !pending.holders.contains(&node) {
                pending.holders.push(node);
            }
        }
        self.advance(hash)
    }

    /// Commits the block if it is the decided one; its body is complete and judged.
    pub(super) fn commit_if_decided(&mut self, hash: BlockHash) -> Result<(), Stop> {
        let decided =
            self.deciding.as_ref().is_some_and(|certificate| certificate.vote.block() == Some(hash));
        if !decided {
            return Ok(());
        }
        let finalization = self.deciding.take().expect("seen above");
        let height = self.height();
        let pending = self.blocks.decide(&hash).expect("judged just now");
        let (header, transactions) = pending.body().expect("a judged block has a body");
        match pending.judged.expect("judged just now") {
            Ok(delta) => self.commit(header, transactions, finalization, delta),
            Err(why) => Err(Stop::Diverged { height, block: hash, why: why.to_string() }),
        }
    }

    /// Brings a block that was decided elsewhere to the door. False if the peer's proof does not hold.
    pub(super) fn commit_certified(&mut self, certified: CheckedBlock) -> Result<bool, Stop> {
        let CheckedBlock { header, transactions, finalization } = certified;
        let hash = header.hash();
        let proven = finalization.kind() == CertificateKind::Finalization
            && finalization.vote.block() == Some(hash)
            && Verified::check(finalization.clone(), self.electorate()).is_ok();
        if planted!(CertificateUnchecked => false, !proven) {
            return Ok(false);
        }
        self.refuse_twin_in(&finalization)?;
        match state::apply(&header, &transactions, &self.tip, &self.reader) {
            Ok(delta) => {
                self.blocks.decide(&hash);
                self.deciding = None;
                self.commit(header, transactions, finalization, delta)?;
                Ok(true)
            }
            // A wrong body under a certified header is the peer's fault; anything else is our own divergence.
            Err(BlockError::Invalid(why)) if is_body_mismatch(&why) => {
                tracing::warn!(%why, "a peer sent another body than the certified one");
                Ok(false)
            }
            Err(BlockError::Invalid(why)) => {
                Err(Stop::Diverged { height: header.height, block: hash, why: why.to_string() })
            }
            Err(BlockError::Read(error)) => Err(error.into()),
        }
    }

    /// The door itself.
    fn commit(
        &mut self,
        header: Header,
        transactions: Vec<Verified<Transaction>>,
        finalization: Certificate,
        delta: Delta,
    ) -> Result<(), Stop> {
        let (height, hash, time) = (header.height, header.hash(), header.time);
        assert_eq!(height, self.height(), "blocks are committed in order");
        assert_eq!(header.parent, self.tip.hash, "a block extends the head");
        assert_eq!(finalization.vote.block(), Some(hash), "the certificate is the block's own");
        assert_eq!(delta.tip.hash, hash, "the changes are the block's own");
        assert_eq!(delta.tip.roots.root(), header.state, "this node diverged at {height}");
        let ids = delta.transactions.clone();
        self.cover()?;
        let block =
            Block { header, transactions: transactions.into_iter().map(Verified::into_inner).collect() };
        self.store.commit(&block, &finalization, delta)?;
        self.tip = self.reader.tip();
        assert_eq!(self.tip.hash, hash, "the store's head is what was committed");
        self.settle_promises()?;
        for (index, id) in ids.into_iter().enumerate() {
            self.mempool.remove(&id);
            self.conclude_final(&id, Position { height, index: index as u32 });
        }
        self.drop_expired(time);
        self.certificates.clear();
        let transactions = block.transactions.len() as u64;
        self.actions.push(Action::Committed { height, time, transactions });
        self.actions.push(Action::Announce(Announcement { height, block: hash }));
        tracing::info!(%height, block = %hash, transactions, "committed");
        self.refresh_peers()?;
        self.report_status();
        self.hear_memories()?;
        self.start_height()
    }

    /// A journal that ends below the store's head reads as lost: says first that nothing is missing.
    fn cover(&mut self) -> Result<(), Stop> {
        let height = self.height();
        let Some(voice) = self.voice.as_mut().filter(|_| self.startup.has_journal()) else { return Ok(()) };
        let Some(record) = voice.guard.cover(height) else { return Ok(()) };
        self.store.journal().append(&[record.to_canonical()])?;
        voice.guard.remember(&[record]);
        Ok(())
    }

    /// What was promised at or below the head binds no more.
    fn settle_promises(&mut self) -> Result<(), Stop> {
        let Some(voice) = &mut self.voice else { return Ok(()) };
        voice.guard.commit(self.tip.header.height);
        // A store that was lost is filled again from below: promises above its head still rest on their bodies.
        let promised_above = voice.guard.end() > self.tip.header.height;
        if !self.startup.has_journal() {
            return Ok(());
        }
        let journal = self.store.journal();
        if !promised_above {
            journal.forget_bodies()?;
        }
        if journal.size_bytes() > JOURNAL_BYTES_MAX {
            let records: Vec<Vec<u8>> = voice.guard.compacted().iter().map(Record::to_canonical).collect();
            journal.rewrite(&records)?;
        }
        Ok(())
    }

    /// When the next heartbeat may be due.
    pub(super) fn schedule_heartbeat(&mut self) {
        let due = self.heartbeat_due();
        let delay_ms = due.saturating_ms_since(self.now.wall).clamp(1, HEARTBEAT_LOOK_MS);
        self.schedule(Timer::Heartbeat(self.height()), delay_ms);
    }

    /// The first moment at which an empty block is valid.
    pub(super) fn heartbeat_due(&self) -> Timestamp {
        self.tip.header.time.saturating_add_ms(self.tip.params.heartbeat_ms)
    }
}
