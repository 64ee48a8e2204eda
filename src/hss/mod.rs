//! The service as documented: one method an endpoint, typed request and answer. No paths on disk, no flags, no terminal.

pub mod auth;
mod call;
mod client;
mod error;
mod login;
mod pace;
mod refusal;
mod region;
mod retry;
mod send;
mod wire;

pub use client::{Client, Config, Event, Timings};
pub use error::{Error, Kind};
pub use region::{Endpoints, endpoints};
pub use wire::{
    ClusterRange, FailedUpload, FileFilter, FileRow, Listing, NewTask, Page, PathRow, ResourceFilter, ResourceRow, RiskRow,
    ScanStatus, TaskFilter, TaskRow, UploadAnswer, UploadPart, UploadedFile,
};
