//! Catching up: whoever is behind fetches certified blocks in order, one page at a time from one peer, and
//! brings each to the one door. A claimed height is a hint whom to ask and nothing more.

use tanba_consensus::input::Input;
use tanba_crypto::{PublicKey, planted};
use tanba_ledger::Height;
use tanba_storage::Store;

use super::{
    Asked, Replica, Stop,
    action::{Action, Judgement},
    event::{GossipId, RequestId},
    timer::Timer,
};
use crate::message::{Announcement, CheckedBlock, CheckedResponse, Request};

/// A node that takes part in agreement gives it so long to reach its own end before it fetches the block that
/// others have committed, in milliseconds.
const GRACE_MS: u64 = 200;

/// Where catching up stands.
#[derive(Debug, Default)]
pub(crate) struct CatchUp {
    asked: Option<(RequestId, PublicKey)>,
    last: Option<PublicKey>,
}

impl<S: Store> Replica<S> {
    /// A peer has shown a head.
    pub(super) fn saw_head(&mut self, from: PublicKey, head: Height) {
        self.peers.saw_head(&from, head);
        let own = self.tip.header.height;
        if head <= own {
            return;
        }
        let one_behind = head == own.next();
        if one_behind && self.takes_part() {
            self.schedule(Timer::CatchUp(self.height()), GRACE_MS);
        } else {
            self.fetch_blocks();
        }
    }

    /// Whether agreement itself may bring the next block.
    fn takes_part(&self) -> bool {
        self.startup.is_over() && self.own_index().is_some()
    }

    /// A peer announced its head by gossip.
    pub(super) fn announced(&mut self, from: PublicKey, gossip: GossipId, announcement: Announcement) {
        let news = announcement.height > self.tip.header.height;
        let judgement = if news { Judgement::Accept } else { Judgement::Ignore };
        self.actions.push(Action::Judge { gossip, judgement });
        if news {
            self.saw_head(from, announcement.height);
        }
    }

    /// Asks for the next page, unless a question is under way or nobody has it.
    pub(super) fn fetch_blocks(&mut self) {
        if self.catch_up.asked.is_some() {
            return;
        }
        let next = self.height();
        let Some(source) = self.peers.source(next, planted!(LiarBelieved => None, self.catch_up.last)) else {
            return;
        };
        let id = self.ask(source, Asked::Blocks, Request::Blocks(next));
        self.catch_up.asked = Some((id, source));
        self.catch_up.last = Some(source);
    }

    /// A page came, or did not.
    pub(super) fn got_blocks(
        &mut self,
        id: RequestId,
        from: PublicKey,
        response: Option<CheckedResponse>,
    ) -> Result<(), Stop> {
        if self.catch_up.asked != Some((id, from)) {
            return Ok(());
        }
        self.catch_up.asked = None;
        if response.is_none() {
            // Nothing was shown and nothing is disproved: another is asked, a moment later.
            self.schedule(Timer::CatchUp(self.height()), GRACE_MS);
            return Ok(());
        }
        let blocks = match response {
            Some(CheckedResponse::Blocks(blocks)) => blocks,
            Some(_) | None => Vec::new(),
        };
        if !self.commit_page(blocks)? {
            // It could not prove what it showed; it may show it again when it can.
            planted!(LiarBelieved => (), self.peers.disbelieve(&from));
        }
        if self.peers.highest() > self.tip.header.height {
            self.fetch_blocks();
        }
        Ok(())
    }

    /// Commits a page in order. False if it was empty or did not prove itself.
    fn commit_page(&mut self, blocks: Vec<CheckedBlock>) -> Result<bool, Stop> {
        let mut useful = false;
        for certified in blocks {
            // Agreement may have been faster.
            if certified.header.height < self.height() {
                useful = true;
                continue;
            }
            if certified.header.height != self.height() || !self.commit_certified(certified)? {
                return Ok(false);
            }
            useful = true;
        }
        Ok(useful)
    }

    /// Routes an answer to whoever asked.
    pub(super) fn answered(
        &mut self,
        id: RequestId,
        from: PublicKey,
        response: Option<CheckedResponse>,
    ) -> Result<(), Stop> {
        match self.requests.remove(&id) {
            Some(Asked::Fetch(block)) => self.fetched(block, id, response),
            Some(Asked::Blocks) => self.got_blocks(id, from, response),
            Some(Asked::Memory(peer)) => self.got_memory(peer, response),
            None => Ok(()),
        }
    }

    /// Tells agreement whether a block could be built now, when that changed.
    pub(super) fn tell_work(&mut self) {
        let work = !self.mempool.is_empty() || self.now.wall >= self.heartbeat_due();
        if work != self.has_work {
            self.has_work = work;
            self.engine.handle(Input::Work(work));
        }
    }
}
