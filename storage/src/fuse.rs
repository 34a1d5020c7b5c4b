//! Stops a store for good at its first error: a disk that failed once is not asked again whether it can be
//! trusted, and a sync that failed may not be repeated (Linux reports a lost write once).

use std::sync::OnceLock;

use crate::StoreError;

/// Blows at the first error or panic; everything after it is refused.
#[derive(Debug, Default)]
pub(crate) struct Fuse {
    blown: OnceLock<StoreError>,
}

impl Fuse {
    /// Refuses if an earlier call failed.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.blown.get() {
            Some(first) => Err(StoreError::Stopped(first.to_string())),
            None => Ok(()),
        }
    }

    /// The error that was the last.
    pub(crate) fn cause(&self) -> Option<&StoreError> {
        self.blown.get()
    }

    /// Runs `work` unless an earlier call failed. An error or a panic in it is the last.
    pub(crate) fn run<R>(&self, work: impl FnOnce() -> Result<R, StoreError>) -> Result<R, StoreError> {
        self.check()?;
        let unwinding = BlowOnUnwind(self);
        let result = work();
        std::mem::forget(unwinding);
        if let Err(error) = &result {
            self.blow(error);
        }
        result
    }

    /// Blows the fuse, unless it has blown already.
    pub(crate) fn blow(&self, error: &StoreError) {
        if !matches!(error, StoreError::Stopped(_)) {
            self.blown.get_or_init(|| error.clone());
        }
    }
}

struct BlowOnUnwind<'a>(&'a Fuse);

impl Drop for BlowOnUnwind<'_> {
    fn drop(&mut self) {
        self.0.blown.get_or_init(|| StoreError::Stopped("a panic while the store was at work".to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn nothing_runs_after_the_first_error() {
        let fuse = Fuse::default();
        assert_eq!(fuse.run(|| Ok(1)), Ok(1));
        let full = StoreError::Io { doing: "writing".into(), source_text: "disk full".into() };
        assert_eq!(fuse.run(|| Err::<(), _>(full.clone())), Err(full.clone()));
        assert_eq!(fuse.run(|| Ok(2)), Err(StoreError::Stopped(full.to_string())));
        assert_eq!(fuse.cause(), Some(&full));
    }

    #[test]
    fn nothing_runs_after_a_panic() {
        let fuse = Fuse::default();
        let panicked = catch_unwind(AssertUnwindSafe(|| fuse.run::<()>(|| panic!("our own mistake"))));
        assert!(panicked.is_err());
        assert!(matches!(fuse.check(), Err(StoreError::Stopped(_))));
    }
}
