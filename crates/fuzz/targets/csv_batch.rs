//! Fuzzes [`recharge_fuzz::csv_batch`].
#![cfg_attr(fuzzing, no_main)]

recharge_fuzz::target!(recharge_fuzz::csv_batch::judge);
