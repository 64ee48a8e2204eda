//! The service as documented: one method an endpoint, typed request and answer. No paths on disk, no flags, no terminal.

pub mod answers;
mod api;
pub mod auth;
mod check;
mod client;
mod error;
mod hide;
mod issue;
mod pace;
pub mod reach;
mod region;
mod send;
#[cfg(test)]
pub(crate) mod tests;
mod wire;

pub use check::{certificates, check_place, check_task, check_token, is_loopback};
pub use client::{Client, Config, Event, Timings};
pub use error::{Error, Kind, Said};
pub use pace::Limit;
pub use region::{Endpoints, endpoints};
pub use send::{limit_of, wait_of};
pub use wire::{
    ClusterRange, ClusterRow, ClusterScanRow, FailedUpload, FileFilter, FileRow, Listing, NewTask, Page, PathRow,
    ResourceRow, RiskRow, ScanStatus, TaskFilter, TaskRow, TaskType, UploadAnswer, UploadPart, UploadedFile,
};
