//! Bodies: what a host holds of each block, what waits for one, and what goes on when one arrives.
//!
//! Only where the stage keeps account of them; elsewhere every body comes with its proposal.

use std::collections::BTreeSet;

use tanba_ledger::BlockHash;

use super::{
    super::{message::Parcel, stage::Stage},
    Node, Outcome, valid,
};

impl Node {
    /// Whether it has the body, beside its journal or in its store, and gives it to whoever asks.
    pub fn holds(&self, stage: &Stage, block: BlockHash) -> bool {
        !stage.bodies || self.bodies.contains(&block) || self.has_committed(block)
    }

    /// Whether a check is answered in the step that asks for it.
    pub(super) fn checks_at_once(&self, stage: &Stage, block: BlockHash) -> bool {
        stage.quick_checks || stage.careless || (stage.bodies && self.holds(stage, block))
    }

    /// Whether a decision waits for nothing more.
    pub fn can_commit(&self, stage: &Stage) -> bool {
        let block = self.deciding.as_ref().and_then(|held| held.vote.block());
        block.is_some_and(|block| self.holds(stage, block))
    }

    /// Keeps a block that was built here.
    pub(super) fn keep_body(&mut self, stage: &Stage, block: BlockHash) {
        if stage.bodies {
            self.bodies.insert(block);
        }
    }

    fn has_committed(&self, block: BlockHash) -> bool {
        self.decided.iter().any(|held| held.vote.block() == Some(block))
    }

    /// Every block that it has the body of, where they are counted.
    pub fn held_bodies(&self, stage: &Stage) -> Vec<BlockHash> {
        let committed = self.decided.iter().filter_map(|held| held.vote.block());
        committed.chain(self.bodies.iter().copied()).filter(|_| stage.bodies).collect()
    }

    /// Blocks that a check or a decision waits for.
    pub fn wanted_bodies(&self, stage: &Stage) -> BTreeSet<BlockHash> {
        let deciding = self.deciding.as_ref().and_then(|held| held.vote.block());
        let asked = self.checks.iter().map(|(block, _)| *block).chain(deciding);
        asked.filter(|block| !self.holds(stage, *block)).collect()
    }

    /// A body arrives and is kept beside the journal; then every check of it is answered, and a decision that
    /// waited for it is committed.
    pub fn pulled(&mut self, stage: &Stage, block: BlockHash, sent: &mut Vec<Parcel>) -> Outcome {
        self.bodies.insert(block);
        let asked: Vec<_> = self.checks.iter().filter(|(asked, _)| *asked == block).copied().collect();
        for (block, purpose) in asked {
            self.checks.remove(&(block, purpose));
            self.engine.handle(valid(block, purpose));
        }
        if !stage.slow_host {
            self.commit(stage)?;
        }
        self.drain(stage, sent)?;
        self.prune();
        Ok(())
    }
}
