//! The recharge command.
