//! The project's own tasks: docs, tidy, lint, test, bench.

fn main() {}
