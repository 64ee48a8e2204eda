//! Signals that end a run.

use std::io;

use tokio::sync::oneshot;

use crate::model::Exit;

/// The first signal that comes from here on. Where nobody waits for it any more, and at the second one, the process ends at once: what is
/// left to do may take longer than whoever sent it will wait.
pub fn first_signal() -> oneshot::Receiver<Exit> {
    let (sender, receiver) = oneshot::channel();
    // A thread of its own: the one of the run may be busy with a report. Where it can't be had, the system's own handlers stay.
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(|| forward(sender));
    receiver
}

#[expect(clippy::exit, reason = "the thread of the run may be stuck in a write")]
fn forward(first: oneshot::Sender<Exit>) -> io::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut signals = Signals::listen()?;
        let mut first = Some(first);
        loop {
            let exit = signals.next().await;
            if first.take().is_none_or(|first| first.send(exit).is_err()) {
                crate::diff::remove_laid_out();
                std::process::exit(i32::from(exit.code()));
            }
        }
    })
}

/// The signals by which a user or a system asks a process to end.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

#[cfg(unix)]
impl Signals {
    /// From here on they no longer end the process by themselves.
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
        }
    }
}

#[cfg(windows)]
impl Signals {
    /// From here on they no longer end the process by themselves.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Exit {
        self.interrupt.recv().await;
        Exit::Interrupted
    }
}
