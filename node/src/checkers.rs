//! Threads that check signatures and read pages, so that the driver's loop never does. A bounded queue before
//! them: what does not fit is refused to the caller, who knows whether it may be lost.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use tokio::sync::mpsc;

/// Jobs that wait for a thread.
const WAITING_MAX: usize = 8_192;

/// One piece of work.
type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads and one queue.
#[derive(Debug)]
pub(crate) struct Checkers {
    jobs: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Checkers {
    /// Starts `count` threads, at least one.
    pub(crate) fn start(count: usize) -> std::io::Result<Checkers> {
        let (sender, receiver) = mpsc::channel::<Job>(WAITING_MAX);
        let receiver = Arc::new(Mutex::new(receiver));
        let spawn = |number: usize| {
            let receiver = receiver.clone();
            std::thread::Builder::new().name(format!("checker-{number}")).spawn(move || work(&receiver))
        };
        let threads = (0..count.max(1)).map(spawn).collect::<std::io::Result<_>>()?;
        Ok(Checkers { jobs: Some(sender), threads })
    }

    /// Queues a job; false if the queue is full and the job is lost.
    pub(crate) fn submit(&self, job: impl FnOnce() + Send + 'static) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(Box::new(job)).is_ok())
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
