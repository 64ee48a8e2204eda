//! The service as documented: one method an endpoint, typed request and answer. No paths on disk, no flags, no terminal.

mod answers;
mod api;
pub mod auth;
mod check;
mod client;
mod error;
mod issue;
mod pace;
pub mod reach;
mod region;
mod send;
mod wire;

pub use check::{certificates, is_loopback};
pub use client::{Client, Config, Event, Timings};
pub use error::{Error, Kind};
pub use pace::Limit;
pub use region::{Endpoints, endpoints};
pub use wire::{
    ClusterRange, FailedUpload, FileFilter, FileRow, Listing, NewTask, Page, PathRow, ResourceFilter, ResourceRow, RiskRow,
    ScanStatus, TaskFilter, TaskRow, UploadAnswer, UploadPart, UploadedFile,
};
