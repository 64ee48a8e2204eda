//! Work shared among threads.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

/// How many threads are used.
pub(super) fn count() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(8)
}

/// Work that waits for a thread. Each thread keeps those that it finds and shares them when another is idle.
pub(super) struct Queue<T> {
    jobs: Mutex<Vec<T>>,
    idle: AtomicUsize,
    threads: usize,
    ready: Condvar,
}

impl<T> Queue<T> {
    pub(super) fn new(first: T, threads: usize) -> Self {
        Self { jobs: Mutex::new(vec![first]), idle: AtomicUsize::new(0), threads, ready: Condvar::new() }
    }

    /// The next piece; `None` when all is done.
    pub(super) fn next(&self, own: &mut Vec<T>) -> Option<T> {
        if let Some(job) = own.pop() {
            return Some(job);
        }
        let mut jobs = self.lock();
        let mut idle = false;
        loop {
            if let Some(job) = jobs.pop() {
                if idle {
                    self.idle.fetch_sub(1, Ordering::SeqCst);
                }
                return Some(job);
            }
            if !idle {
                idle = true;
                self.idle.fetch_add(1, Ordering::SeqCst);
            }
            // `idle` only changes under the lock: when all are idle there is nothing left, and nobody to find more.
            if self.idle.load(Ordering::SeqCst) == self.threads {
                self.ready.notify_all();
                return None;
            }
            jobs = self.ready.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives half of what this thread has to the idle ones.
    pub(super) fn share(&self, own: &mut Vec<T>) {
        if own.len() > 1 && self.idle.load(Ordering::SeqCst) > 0 {
            self.lock().extend(own.drain(..own.len() / 2));
            self.ready.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Items that go to a thread together.
const BATCH: usize = 64;

/// Does `work` for every item that `find` shows, on all threads and while it still looks. Each thread begins with `S::default()`; what
/// they come to is in no order, with what `find` came to.
pub(super) fn spread<T: Send, S: Default + Send, E>(
    find: impl FnOnce(&mut dyn FnMut(T)) -> E,
    work: impl Fn(T, &mut S) + Sync,
) -> (Vec<S>, E) {
    let (send, receive) = mpsc::channel::<Vec<T>>();
    let receive = Mutex::new(receive);
    let next = || receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let work_through = || {
        let mut state = S::default();
        while let Ok(items) = next() {
            for item in items {
                work(item, &mut state);
            }
        }
        state
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..count()).map(|_| scope.spawn(work_through)).collect();
        let mut batch = Vec::with_capacity(BATCH);
        let end = find(&mut |item| {
            batch.push(item);
            if batch.len() == BATCH {
                // The receiver outlives the threads.
                let _ = send.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)));
            }
        });
        let _ = send.send(batch);
        drop(send);
        let join =
            |worker: thread::ScopedJoinHandle<'_, S>| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (workers.into_iter().map(join).collect(), end)
    })
}
