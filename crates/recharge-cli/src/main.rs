//! The `recharge` binary. All of it is in the library, so that docs and tests see it.

use std::process::ExitCode;

fn main() -> ExitCode {
    recharge_cli::main()
}
