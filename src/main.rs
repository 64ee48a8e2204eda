//! The `hss-iac` command.

fn main() {}
