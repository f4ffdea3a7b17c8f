//! Fuzzes [`recharge_fuzz::config`].
#![cfg_attr(fuzzing, no_main)]

recharge_fuzz::target!(recharge_fuzz::config::judge);
