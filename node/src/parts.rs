//! The parts of a running node: tasks that live as long as it does and end together. The first that ends begins the end
//! of all, and what it ended of is what the node ended of.

use std::{any::Any, future::Future, panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use tokio::{sync::watch, task::JoinSet, time::timeout};

use crate::node::NodeError;

/// Tasks by name.
#[derive(Debug)]
pub(crate) struct Parts {
    tasks: JoinSet<(&'static str, Result<(), NodeError>)>,
    stop: watch::Sender<bool>,
}

impl Parts {
    /// None yet. `stop` turns true when they are to end.
    pub(crate) fn new(stop: watch::Sender<bool>) -> Parts {
        Parts { tasks: JoinSet::new(), stop }
    }

    /// Adds one, which is to end when it is told to and not before.
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), NodeError>> + Send + 'static,
    ) {
        let panicked = move |_: Box<dyn Any + Send>| Err(NodeError::Task(name));
        let task = AssertUnwindSafe(task).catch_unwind();
        self.tasks.spawn(async move { (name, task.await.unwrap_or_else(panicked)) });
    }

    /// Runs until `wish` is ready or a part ends. Then all end side by side, within `deadline_ms`; those that do not
    /// are dropped.
    ///
    /// # Errors
    /// The first that a part ended with, be it late or not: [`NodeError::Task`] for one that ended unasked or with a
    /// panic. [`NodeError::Deadline`] only if there is nothing else to say.
    pub(crate) async fn run_until(
        mut self,
        wish: impl Future<Output = ()>,
        deadline_ms: u64,
    ) -> Result<(), NodeError> {
        let mut cause = tokio::select! {
            () = wish => None,
            Some((name, ended)) = self.next() => ended.err().or(Some(NodeError::Task(name))),
        };
        tracing::info!("the node stops");
        self.stop.send_replace(true);
        let others = async {
            while let Some((_, ended)) = self.next().await {
                cause = cause.take().or(ended.err());
            }
        };
        let late = timeout(Duration::from_millis(deadline_ms), others).await.is_err();
        cause.or(late.then_some(NodeError::Deadline(deadline_ms))).map_or(Ok(()), Err)
    }

    async fn next(&mut self) -> Option<(&'static str, Result<(), NodeError>)> {
        Some(self.tasks.join_next().await?.expect("panics are caught, and no part is dropped before the end"))
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tanba_ledger::Height;

    use super::*;
    use crate::replica::Stop;

    fn parts() -> (Parts, watch::Receiver<bool>) {
        let (stop, stopping) = watch::channel(false);
        (Parts::new(stop), stopping)
    }

    fn twin() -> NodeError {
        Stop::Twin { height: Height(7) }.into()
    }

    #[tokio::test]
    async fn a_cause_is_told_though_another_part_is_late() {
        let (mut parts, _) = parts();
        parts.add("deaf", pending());
        parts.add("driver", async { Err(twin()) });
        let ended = parts.run_until(pending(), 10).await;
        assert!(matches!(ended, Err(NodeError::Stopped(Stop::Twin { .. }))), "{ended:?}");
    }

    #[tokio::test]
    async fn a_cause_that_comes_after_the_wish_is_told_as_well() {
        let (mut parts, mut stopping) = parts();
        parts.add("deaf", pending());
        parts.add("driver", async move {
            let _ = stopping.wait_for(|stop| *stop).await;
            Err(twin())
        });
        let ended = parts.run_until(async {}, 10).await;
        assert!(matches!(ended, Err(NodeError::Stopped(Stop::Twin { .. }))), "{ended:?}");
    }

    #[tokio::test]
    async fn a_part_that_ends_unasked_or_with_a_panic_is_an_error() {
        for fails in [false, true] {
            let (mut parts, mut stopping) = parts();
            parts.add("api", async move {
                assert!(!fails, "a mistake");
                Ok(())
            });
            parts.add("metrics", async move {
                let _ = stopping.wait_for(|stop| *stop).await;
                Ok(())
            });
            let ended = parts.run_until(pending(), 10_000).await;
            assert!(matches!(ended, Err(NodeError::Task("api"))), "{ended:?}");
        }
    }

    #[tokio::test]
    async fn only_a_part_that_is_late_is_a_missed_deadline() {
        let (mut parts, mut stopping) = parts();
        parts.add("driver", async move {
            let _ = stopping.wait_for(|stop| *stop).await;
            Ok(())
        });
        assert!(parts.run_until(async {}, 10_000).await.is_ok());
        let (mut parts, _) = self::parts();
        parts.add("deaf", pending());
        assert!(matches!(parts.run_until(async {}, 10).await, Err(NodeError::Deadline(10))));
    }
}
