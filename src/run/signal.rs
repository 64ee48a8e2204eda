//! Signals that end a run.

use std::io;

use tokio::sync::oneshot;

use crate::diff::Scratch;
use crate::model::Exit;
use crate::platform::{Signals, Stop};

/// The first signal that comes from here on. Where nobody waits for it any more, and at the second one, the process ends at once: what is
/// left to do may take longer than whoever sent it will wait.
pub fn first_signal(scratch: Scratch) -> oneshot::Receiver<Exit> {
    let (sender, receiver) = oneshot::channel();
    // A thread of its own: the one of the run may be busy with a report. Where it can't be had, the system's own handlers stay.
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(move || forward(sender, &scratch));
    receiver
}

#[expect(clippy::exit, reason = "the thread of the run may be stuck in a write")]
fn forward(first: oneshot::Sender<Exit>, scratch: &Scratch) -> io::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut signals = Signals::listen()?;
        let mut first = Some(first);
        loop {
            let exit = next(&mut signals).await;
            if first.take().is_none_or(|first| first.send(exit).is_err()) {
                scratch.clear();
                std::process::exit(i32::from(exit.code()));
            }
        }
    })
}

/// Waits for the next signal.
pub(super) async fn next(signals: &mut Signals) -> Exit {
    match signals.next().await {
        Stop::Interrupt => Exit::Interrupted,
        Stop::Terminate => Exit::Terminated,
    }
}
