//! Blocks before they are decided: built when we lead, fetched when bodies are missing, judged, and kept beside
//! the journal before anything is signed that rests on them.

use tanba_consensus::input::{Input, Purpose, Verdict};
use tanba_crypto::{Canonical, PublicKey, Verified, planted};
use tanba_ledger::{
    Bin, Block, BlockHash, Height, Slot, Timestamp, Transaction, ValidatorIndex, View,
    limits::BLOCK_BYTES_MAX,
    state::{self, BlockError, Built, InvalidBlock, LeftOut, Live, Room},
};
use tanba_storage::{Store, StoreReader};

use super::{Asked, Replica, Stop, blocks::Pending, event::RequestId, timer::Timer};
use crate::message::{CheckedResponse, Outline, Request};

/// After every holder of a body was asked in vain, they are asked again after so long, in milliseconds.
const FETCH_RETRY_MS: u64 = 250;

/// A proposal from the future is looked at again at least this often, in milliseconds.
const LIVE_LOOK_MS: u64 = 60_000;

/// Canonical bytes of a stored body: a full block and its header.
const BODY_BYTES_MAX: usize = BLOCK_BYTES_MAX + 4_096;

impl<S: Store> Replica<S> {
    /// We lead: builds a block on the head, or says that there is nothing to build from.
    pub(super) fn build(&mut self, slot: Slot) -> Result<(), Stop> {
        let proposer = self.own_bin();
        let time = self.now.wall.max(self.tip.header.time.saturating_add_ms(1));
        let waiting = self.mempool.candidates();
        let candidates = waiting.iter().map(|w| &*w.transaction);
        let room = Room::in_view(slot.view);
        let Built { block, left_out } =
            state::build(&self.tip, &self.reader, time, proposer, room, candidates)?;
        for (id, why) in left_out {
            match why {
                // What only another transaction of this block rules out may still have its turn.
                LeftOut::Refused(_) if block.is_some() => self.drop_if_refused(&id)?,
                LeftOut::Refused(refusal) => self.drop_refused(&id, &refusal),
                LeftOut::NoRoom => {}
            }
        }
        let Some((block, delta)) = block else {
            self.has_work = false;
            self.engine.handle(Input::Work(false));
            return Ok(());
        };
        let hash = block.hash();
        planted!(BodyNotKept => (), self.store.journal().put_body(hash, &block.to_canonical())?);
        let names = block.transactions.iter().map(Transaction::bytes_hash).collect();
        let pending = self.blocks.wanted(hash);
        pending.set_outline(Outline { header: block.header, transactions: names });
        pending.fill_from(&self.mempool);
        pending.judged = Some(Ok(delta));
        self.engine.handle(Input::Built { slot, block: hash });
        Ok(())
    }

    fn own_bin(&self) -> Bin {
        let own = self.own_index().expect("only a validator leads");
        self.tip.validators.get(own).expect("a member of the set").bin
    }

    /// Agreement asks about a block.
    pub(super) fn check(
        &mut self,
        block: BlockHash,
        purpose: Purpose,
        holders: &[ValidatorIndex],
    ) -> Result<(), Stop> {
        let own = self.own_index();
        let others = holders.iter().filter(|holder| Some(**holder) != own);
        let nodes: Vec<PublicKey> =
            others.flat_map(|holder| self.peers.nodes_of(*holder, &self.tip.validators)).collect();
        let pending = self.blocks.wanted(block);
        pending.purposes.insert(purpose);
        for node in nodes {
            if !pending.holders.contains(&node) {
                pending.holders.push(node);
            }
        }
        self.advance(block)
    }

    /// Takes a block as far as it can go now: complete, judged, stored, answered, committed.
    pub(super) fn advance(&mut self, hash: BlockHash) -> Result<(), Stop> {
        self.restore_body(hash)?;
        let Some(pending) = self.blocks.get_mut(&hash) else { return Ok(()) };
        if pending.judged.is_none() {
            pending.fill_from(&self.mempool);
            let Some((header, transactions)) = pending.body() else { return self.fetch(hash) };
            let judged = match state::apply(&header, &transactions, &self.tip, &self.reader) {
                Ok(delta) => Ok(delta),
                Err(BlockError::Invalid(why)) if is_body_mismatch(&why) => {
                    return self.disown_body(hash, &why);
                }
                Err(BlockError::Invalid(why)) => Err(why),
                Err(BlockError::Read(error)) => return Err(error.into()),
            };
            pending.judged = Some(judged);
        }
        self.give_verdicts(hash)?;
        self.commit_if_decided(hash)
    }

    /// Keeps a body beside the journal, for what may be said of the block now that it is found valid. While blocks below
    /// are missing nothing may be said, and nothing is kept.
    fn keep_body(&mut self, hash: BlockHash) -> Result<(), Stop> {
        if self.voice.is_none() || !self.startup.has_journal() || self.is_short() {
            return Ok(());
        }
        let pending = self.blocks.get(&hash).expect("judged just now");
        let block = pending.block().expect("a judged block has a body");
        planted!(BodyNotKept => (), self.store.journal().put_body(hash, &block.to_canonical())?);
        Ok(())
    }

    /// The names that came with a proposal are not the block's: its leader lied to us, but perhaps not to
    /// others. A fresh proposal is refused; a block that a quorum certified is fetched whole from its signers.
    fn disown_body(&mut self, hash: BlockHash, why: &InvalidBlock) -> Result<(), Stop> {
        tracing::warn!(%why, block = %hash, "a proposal names transactions that are not the block's");
        let pending = self.blocks.get_mut(&hash).expect("judged just now");
        pending.clear_body();
        let fresh: Vec<Purpose> =
            pending.purposes.iter().filter(|p| matches!(p, Purpose::Fresh(_))).copied().collect();
        for purpose in fresh {
            pending.purposes.remove(&purpose);
            self.engine.handle(Input::BlockChecked { block: hash, purpose, verdict: Verdict::Invalid });
        }
        self.fetch(hash)
    }

    /// Whether agreement waits for a block.
    fn is_wanted(&self, hash: BlockHash) -> bool {
        let decided =
            self.deciding.as_ref().is_some_and(|certificate| certificate.vote.block() == Some(hash));
        decided || self.blocks.get(&hash).is_some_and(|pending| !pending.purposes.is_empty())
    }

    /// After a restart the body lies beside the journal already.
    fn restore_body(&mut self, hash: BlockHash) -> Result<(), Stop> {
        if self.blocks.get(&hash).is_none_or(|pending| pending.header().is_some()) {
            return Ok(());
        }
        let Some(Block { header, transactions }) = self.kept_body(&hash)? else { return Ok(()) };
        let checked = transactions.into_iter().map(|t| Verified::check(t, &self.chain));
        let transactions = checked
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Stop::Journal(format!("the body of block {hash} was never valid: {error}")))?;
        self.blocks.get_mut(&hash).expect("looked up above").set_body(header, transactions);
        Ok(())
    }

    /// The body of a block that lies beside the journal. Its frame is whole, or the journal would have said so.
    fn kept_body(&mut self, hash: &BlockHash) -> Result<Option<Block>, Stop> {
        if !self.startup.has_journal() {
            return Ok(None);
        }
        let Some(bytes) = self.store.journal().body(hash)? else { return Ok(None) };
        match Block::from_canonical(&bytes, BODY_BYTES_MAX) {
            Ok(block) if block.hash() == *hash => Ok(Some(block)),
            Ok(_) | Err(_) => Err(Stop::Journal(format!("what it keeps as block {hash} is not that block"))),
        }
    }

    fn give_verdicts(&mut self, hash: BlockHash) -> Result<(), Stop> {
        let Some(pending) = self.blocks.get_mut(&hash) else { return Ok(()) };
        let purposes = std::mem::take(&mut pending.purposes);
        for purpose in purposes {
            let pending = self.blocks.get(&hash).expect("judged just now");
            match self.verdict(pending, purpose) {
                Ok(Some(verdict)) => {
                    if verdict == Verdict::Valid {
                        self.keep_body(hash)?;
                    }
                    self.engine.handle(Input::BlockChecked { block: hash, purpose, verdict })
                }
                Ok(None) => unreachable!("a judged block has a verdict"),
                Err(until) => {
                    let delay_ms = until.saturating_ms_since(self.now.wall).clamp(1, LIVE_LOOK_MS);
                    let pending = self.blocks.get_mut(&hash).expect("judged just now");
                    pending.purposes.insert(purpose);
                    self.schedule(Timer::Live(hash), delay_ms);
                }
            }
        }
        Ok(())
    }

    /// What to say of a judged block; the error is the moment to say it.
    fn verdict(&self, pending: &Pending, purpose: Purpose) -> Result<Option<Verdict>, Timestamp> {
        let Some(judged) = &pending.judged else { return Ok(None) };
        if let Err(why) = judged {
            tracing::warn!(%why, ?purpose, "a proposed block is invalid");
            return Ok(Some(Verdict::Invalid));
        }
        let Purpose::Fresh(slot) = purpose else {
            return planted!(
                LiveTestForNotarized => match pending.header().map(|h| state::check_live(h, &self.tip, self.now.wall)) {
                    Some(Live::Stale { .. }) => Ok(Some(Verdict::Invalid)),
                    _ => Ok(Some(Verdict::Valid)),
                },
                Ok(Some(Verdict::Valid))
            );
        };
        let header = pending.header().expect("a judged block has a header");
        let leader = self.tip.validators.leader(slot.height, slot.view);
        let leader = self.tip.validators.get(leader).expect("the leader is a member");
        if header.proposer != Some(leader.bin) {
            return Ok(Some(Verdict::Invalid));
        }
        if let Err(why) = check_room(pending, slot.view) {
            tracing::warn!(%why, "a fresh block is too large for its view");
            return Ok(Some(Verdict::Invalid));
        }
        match planted!(NoLiveTest => Live::Now, state::check_live(header, &self.tip, self.now.wall)) {
            Live::Now => Ok(Some(Verdict::Valid)),
            Live::HoldUntil(moment) => Err(moment),
            Live::Stale { earliest } => {
                tracing::warn!(?earliest, time = ?header.time, "a fresh block's time lies too far back");
                Ok(Some(Verdict::Invalid))
            }
        }
    }

    /// Asks the next holder for what is missing, one question at a time, as long as agreement waits for it.
    fn fetch(&mut self, hash: BlockHash) -> Result<(), Stop> {
        if !self.is_wanted(hash) {
            return Ok(());
        }
        let own = self.own_index();
        let others = self.tip.validators.indices().filter(|index| Some(*index) != own);
        let everyone: Vec<PublicKey> =
            others.flat_map(|index| self.peers.nodes_of(index, &self.tip.validators)).collect();
        let Some(pending) = self.blocks.get_mut(&hash) else { return Ok(()) };
        if pending.request.is_some() {
            return Ok(());
        }
        // After each round in vain, whoever is connected by now is asked as well.
        if pending.holders.is_empty()
            || (pending.asked > 0 && pending.asked.is_multiple_of(pending.holders.len()))
        {
            for node in everyone {
                if !pending.holders.contains(&node) {
                    pending.holders.push(node);
                }
            }
        }
        if pending.holders.is_empty() {
            self.schedule(Timer::Fetch(hash), FETCH_RETRY_MS);
            return Ok(());
        }
        let round = pending.asked / pending.holders.len();
        let to = pending.holders[pending.asked % pending.holders.len()];
        pending.asked += 1;
        // The names came from the leader alone, who may have invented them: every second round asks for the
        // whole body instead.
        let request = match pending.header() {
            Some(_) if round.is_multiple_of(2) => Request::Transactions(hash, pending.missing()),
            Some(_) | None => Request::Body(hash),
        };
        let id = self.ask(to, Asked::Fetch(hash), request);
        self.blocks.get_mut(&hash).expect("looked up above").request = Some(id);
        Ok(())
    }

    /// A holder answered, or did not.
    pub(super) fn fetched(
        &mut self,
        hash: BlockHash,
        id: RequestId,
        response: Option<CheckedResponse>,
    ) -> Result<(), Stop> {
        let Some(pending) = self.blocks.get_mut(&hash).filter(|p| p.request == Some(id)) else {
            return Ok(());
        };
        pending.request = None;
        match response {
            Some(CheckedResponse::Body(Some((header, transactions)))) if header.hash() == hash => {
                // Compared here, where the fault is the holder's.
                if header_fits(&header, &transactions) {
                    pending.set_body(header, transactions);
                }
            }
            Some(CheckedResponse::Transactions(given)) => pending.fill_with(given),
            Some(_) | None => {}
        }
        pending.fill_from(&self.mempool);
        let exhausted = pending.body().is_none() && pending.asked % pending.holders.len().max(1) == 0;
        if exhausted {
            self.schedule(Timer::Fetch(hash), FETCH_RETRY_MS);
            return Ok(());
        }
        self.advance(hash)
    }

    /// A body for a peer: of a block under agreement, or of one decided.
    pub(super) fn body_of(&mut self, block: &BlockHash) -> Result<Option<Block>, Stop> {
        if let Some(held) = self.blocks.get(block).and_then(Pending::block) {
            return Ok(Some(held));
        }
        if let Some(kept) = self.kept_body(block)? {
            return Ok(Some(kept));
        }
        let Some(height) = self.reader.height_of(block)? else { return Ok(None) };
        Ok(self.reader.block(height)?.map(|certified| certified.block))
    }

    /// Names what is wrong with a block that a quorum certified.
    pub(super) fn diverged(&self, height: Height, block: BlockHash) -> Stop {
        let why = match self.blocks.get(&block).and_then(|pending| pending.judged.as_ref()) {
            Some(Err(why)) => why.to_string(),
            Some(Ok(_)) | None => "it was found invalid".to_owned(),
        };
        Stop::Diverged { height, block, why }
    }
}

fn check_room(pending: &Pending, view: View) -> Result<(), InvalidBlock> {
    let (_, transactions) = pending.body().expect("a judged block has a body");
    state::check_room(transactions.iter().map(|t| &**t), view)
}

/// Whether the transactions are not the header's own. Says nothing about the header.
pub(super) fn is_body_mismatch(why: &InvalidBlock) -> bool {
    match why {
        InvalidBlock::WrongCount { .. } => true,
        InvalidBlock::WrongHash { field, .. } => *field == "transactions",
        _ => false,
    }
}

/// Whether these are the transactions under the header's root.
fn header_fits(header: &tanba_ledger::Header, transactions: &[Verified<Transaction>]) -> bool {
    let leaves = transactions.iter().map(|transaction| transaction.to_canonical());
    header.count as usize == transactions.len()
        && header.transactions == tanba_ledger::merkle::tree::root(leaves)
}
