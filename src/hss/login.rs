//! The first authenticated call goes alone: more than five refused signatures in a row lock a key for five minutes, so a
//! wrong one must cost a single refusal.

use std::cell::RefCell;

use tokio::sync::{Mutex, MutexGuard};

use super::Error;

#[derive(Debug)]
enum State {
    Unproven,
    Proven,
    Refused(Error),
}

/// What is known of the credentials.
#[derive(Debug)]
pub(super) struct Login {
    alone: Mutex<()>,
    state: RefCell<State>,
}

impl Login {
    pub(super) fn new() -> Self {
        Self { alone: Mutex::new(()), state: RefCell::new(State::Unproven) }
    }

    /// Waits until a call may go: at once where the credentials are proven, else alone, for as long as the guard lives.
    /// Fails where they were refused. May be dropped at any time.
    pub(super) async fn admit(&self) -> Result<Option<MutexGuard<'_, ()>>, Error> {
        if self.proven()? {
            return Ok(None);
        }
        let guard = self.alone.lock().await;
        Ok(if self.proven()? { None } else { Some(guard) })
    }

    /// Whether the service took the credentials; the error where it refused them.
    pub(super) fn proven(&self) -> Result<bool, Error> {
        match &*self.state.borrow() {
            State::Unproven => Ok(false),
            State::Proven => Ok(true),
            State::Refused(error) => Err(error.clone()),
        }
    }

    /// The service answered and did not refuse the credentials.
    pub(super) fn taken(&self) {
        let mut state = self.state.borrow_mut();
        if matches!(*state, State::Unproven) {
            *state = State::Proven;
        }
    }

    /// The service refused the credentials; every later call fails with this error, unsent.
    pub(super) fn refused(&self, error: &Error) {
        *self.state.borrow_mut() = State::Refused(error.clone());
    }
}
