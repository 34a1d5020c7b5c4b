//! What the writer, the readers and the write-behind of one store have in common.

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tanba_ledger::{
    Height, ValidatorSet,
    state::{Delta, Tip},
};

use crate::{fuse::Fuse, overlay::Overlay, tree::Tree, write_behind::Behind};

/// One open store.
pub(crate) struct Shared<T> {
    pub(crate) tree: T,
    pub(crate) fuse: Fuse,
    current: RwLock<Current>,
    pub(crate) behind: Mutex<Behind>,
}

/// The head, and what is derived and not yet on disk. They change together, so that whoever sees a tip finds the
/// nodes under it.
pub(crate) struct Current {
    pub(crate) tip: Arc<Tip>,
    /// The set that decided the tip's block.
    pub(crate) electors: ValidatorSet,
    pub(crate) overlay: Overlay,
}

impl Current {
    /// The block that `delta` is of becomes the head.
    pub(crate) fn advance(&mut self, delta: Delta, body_bytes: usize, replayed: bool) {
        let parent = std::mem::replace(&mut self.tip, Arc::new(delta.tip.clone()));
        self.electors = parent.validators.clone();
        self.overlay.absorb(delta, body_bytes, replayed);
    }
}

impl<T: Tree> Shared<T> {
    pub(crate) fn new(tree: T, tip: Tip, electors: ValidatorSet, behind: Behind) -> Shared<T> {
        let current = Current { tip: Arc::new(tip), electors, overlay: Overlay::default() };
        Shared { tree, fuse: Fuse::default(), current: RwLock::new(current), behind: Mutex::new(behind) }
    }

    pub(crate) fn tip(&self) -> Arc<Tip> {
        Arc::clone(&self.read().tip)
    }

    pub(crate) fn head(&self) -> Height {
        self.read().tip.header.height
    }

    /// A panic under this lock blows the fuse, which every caller asks; so a poisoned lock needs no answer of
    /// its own.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Current> {
        self.current.write().unwrap_or_else(PoisonError::into_inner)
    }
}
