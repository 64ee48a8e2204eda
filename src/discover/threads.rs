//! Work shared among threads.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
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

/// Does `work` for every item, on all threads; the results come in no order.
pub(super) fn spread<T: Sync, R: Send>(items: &[T], work: impl Fn(&T, &mut Vec<u8>) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len()));
    thread::scope(|scope| {
        for _ in 0..count().min(items.len()) {
            scope.spawn(|| {
                let mut buffer = Vec::new();
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = work(item, &mut buffer);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}
