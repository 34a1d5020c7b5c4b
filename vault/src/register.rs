//! The register of requests: what a person asked for, by when it must be done, and what came of it. A request names a
//! record and a kind; words on paper stay with the paper.

use tanba_crypto::canonical::{Decode, Encode};
use tanba_storage::tree::Tree;

use crate::{
    VaultError,
    calendar::Calendar,
    epoch_keys::EpochKeys,
    folder::Folder,
    name::{OfficerId, RecordId, RequestId, Time},
    table::{self, Table, get, put},
    vault::Vault,
};

/// What is asked for (Law 94-V, articles 8, 19-1, 24 and 25).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestKind {
    /// To be told what is kept, or to be shown it.
    Information,
    /// An objection to a decision made by a machine alone.
    Objection,
    /// To mend what is wrong.
    Correct,
    /// To stop showing it.
    Restrict,
    /// To destroy what is kept against the law.
    DestroyUnlawful,
    /// To take a consent back, and have all of it erased.
    Withdraw,
    /// To take names out.
    Anonymise,
}
tanba_crypto::canonical_enum!(RequestKind {
    1 = Information, 2 = Objection, 3 = Correct, 4 = Restrict, 5 = DestroyUnlawful, 6 = Withdraw, 7 = Anonymise
});

impl RequestKind {
    /// Working days it may take.
    pub const fn working_days(self) -> u32 {
        match self {
            RequestKind::Correct | RequestKind::Restrict | RequestKind::DestroyUnlawful => 1,
            RequestKind::Information | RequestKind::Objection => 3,
            RequestKind::Withdraw | RequestKind::Anonymise => 15,
        }
    }
}

/// What came of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused, for a reason by number.
    Refused(u16),
}
tanba_crypto::canonical_enum!(Outcome { 1 = Done, 2 = Refused(reason) });

/// A line of the register.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Request {
    /// About which record, if there is one: whoever asks is answered.
    pub record: Option<RecordId>,
    /// What is asked for.
    pub kind: RequestKind,
    /// When it came.
    pub received: Time,
    /// From here on it is overdue.
    pub due: Time,
    /// What came of it, by whom, when.
    pub closed: Option<(Outcome, OfficerId, Time)>,
}

impl<T: Tree, F: Folder, K: EpochKeys> Vault<T, F, K> {
    /// Enters a request and gives its deadline. Durable when this returns.
    ///
    /// # Errors
    /// [`VaultError::RequestExists`], [`VaultError::NoRecord`], [`VaultError::CalendarEnds`].
    pub fn enter(
        &mut self,
        id: RequestId,
        record: Option<RecordId>,
        kind: RequestKind,
        received: Time,
        calendar: &Calendar,
    ) -> Result<Time, VaultError> {
        self.alive(|vault| {
            record.map(|record| vault.record(record)).transpose()?;
            if vault.request(id)?.is_some() {
                return Err(VaultError::RequestExists(id));
            }
            let due = calendar.deadline(received, kind.working_days())?;
            let request = Request { record, kind, received, due, closed: None };
            put(&vault.tree, table::request_open(id), &request)?;
            vault.tree.barrier()?;
            Ok(due)
        })
    }

    /// Closes a request. Durable when this returns; once closed it stays as it was closed.
    ///
    /// # Errors
    /// [`VaultError::NoRequest`] if it is not open.
    pub fn close(
        &mut self,
        id: RequestId,
        outcome: Outcome,
        officer: OfficerId,
        now: Time,
    ) -> Result<(), VaultError> {
        self.alive(|vault| {
            let request = vault.request(id)?.filter(|request| request.closed.is_none());
            let request = request.ok_or(VaultError::NoRequest(id))?;
            let closed = Request { closed: Some((outcome, officer, now)), ..request };
            put(&vault.tree, table::request_closed(id), &closed)?;
            vault.tree.barrier()?;
            // If a crash keeps the open line, the closed one counts.
            vault.tree.remove(&table::request_open(id))?;
            Ok(vault.tree.barrier()?)
        })
    }

    /// A line of the register.
    pub fn request(&self, id: RequestId) -> Result<Option<Request>, VaultError> {
        match get(&self.tree, &table::request_closed(id))? {
            Some(closed) => Ok(Some(closed)),
            None => get(&self.tree, &table::request_open(id)),
        }
    }

    /// All open requests, the one due first at the head.
    pub fn open_requests(&self) -> Result<Vec<(RequestId, Request)>, VaultError> {
        let mut open = Vec::new();
        for name in table::names::<_, 16>(&self.tree, Table::RequestOpen)? {
            let id = RequestId(name);
            open.extend(self.request(id)?.filter(|it| it.closed.is_none()).map(|it| (id, it)));
        }
        open.sort_by_key(|(id, request)| (request.due, *id));
        Ok(open)
    }

    /// Open requests whose time is over.
    pub fn overdue(&self, now: Time) -> Result<Vec<(RequestId, Request)>, VaultError> {
        let mut open = self.open_requests()?;
        open.retain(|(_, request)| request.due <= now);
        Ok(open)
    }
}
