//! Threads that check signatures and read pages, so that the driver's loop never does. A bounded queue before
//! them: what does not fit is refused to the caller, who knows whether it may be lost.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};

/// Jobs that wait for a thread.
const WAITING_MAX: usize = 8_192;

/// Bytes of peers' transactions that are being checked, or are checked and wait for the loop. Counted apart from
/// the jobs: so many of the largest transactions would be a gibibyte.
const BYTES_MAX: usize = 32 << 20;

/// What a transaction costs beside its bytes.
const OVERHEAD_BYTES: usize = 512;

/// What is said when a check was a mistake of ours.
pub(crate) const PANICKED: &str = "a checking thread has panicked";

/// Room for some bytes, given back when its last clone is dropped: with what it was taken for.
pub(crate) type Room = Arc<OwnedSemaphorePermit>;

/// One piece of work.
type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads and one queue.
#[derive(Debug)]
pub(crate) struct Checkers {
    jobs: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    room: Arc<Semaphore>,
    panicked: Arc<Notify>,
}

impl Checkers {
    /// Starts `count` threads, at least one.
    pub(crate) fn start(count: usize) -> std::io::Result<Checkers> {
        let (sender, receiver) = mpsc::channel::<Job>(WAITING_MAX);
        let receiver = Arc::new(Mutex::new(receiver));
        let panicked = Arc::new(Notify::new());
        let spawn = |number: usize| {
            let (receiver, alarm) = (receiver.clone(), Alarm(panicked.clone()));
            std::thread::Builder::new().name(format!("checker-{number}")).spawn(move || {
                let _alarm = alarm;
                work(&receiver);
            })
        };
        let threads = (0..count.max(1)).map(spawn).collect::<std::io::Result<_>>()?;
        let room = Arc::new(Semaphore::new(BYTES_MAX));
        Ok(Checkers { jobs: Some(sender), threads, room, panicked })
    }

    /// Room for `bytes` of `count` transactions, which is to be kept as long as they are; `None` if there is none.
    pub(crate) fn room(&self, bytes: usize, count: usize) -> Option<Room> {
        let cost = u32::try_from(bytes + count * OVERHEAD_BYTES).ok()?;
        self.room.clone().try_acquire_many_owned(cost).ok().map(Arc::new)
    }

    /// Returns when a job has panicked. With it a thread is gone and whatever the job was to answer, so that whoever
    /// waits for it must not go on.
    pub(crate) async fn panicked(&self) {
        self.panicked.notified().await;
    }

    /// Queues a job; false if the queue is full and the job is lost.
    pub(crate) fn submit(&self, job: impl FnOnce() + Send + 'static) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(Box::new(job)).is_ok())
    }
}

/// Rings if its thread panics.
struct Alarm(Arc<Notify>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.notify_one();
        }
    }
}

fn work(receiver: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        // The lock is held while waiting: exactly one idle thread waits for the next job.
        let job = receiver.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        match job {
            Some(job) => job(),
            None => return,
        }
    }
}

impl Drop for Checkers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a checking thread had panicked");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_job_that_panics_is_noticed_without_another() {
        let checkers = Checkers::start(2).expect("two threads");
        assert!(checkers.submit(|| ()));
        assert!(checkers.submit(|| panic!("a mistake in a check")));
        let noticed = tokio::time::timeout(Duration::from_secs(60), checkers.panicked());
        noticed.await.expect("nobody asks for anything meanwhile");
    }

    #[test]
    fn room_is_bounded_in_bytes_and_given_back_with_its_last_clone() {
        let checkers = Checkers::start(1).expect("a thread");
        let all = checkers.room(BYTES_MAX - OVERHEAD_BYTES, 1).expect("everything is free");
        let clone = all.clone();
        assert!(checkers.room(1, 0).is_none(), "nothing is left");
        drop(all);
        assert!(checkers.room(1, 0).is_none(), "a clone still holds it");
        drop(clone);
        assert!(checkers.room(BYTES_MAX, 0).is_some());
        assert!(checkers.room(usize::MAX / 2, 1).is_none(), "more than there is");
    }
}
