//! What must not be read by others is replaced by `*`, in the same length, so that lines and columns stay what they were.

mod quoted;

pub use quoted::credentials;
