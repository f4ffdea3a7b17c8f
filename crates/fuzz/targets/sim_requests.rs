//! Fuzzes [`recharge_fuzz::sim_requests`].
#![cfg_attr(fuzzing, no_main)]

recharge_fuzz::target!(recharge_fuzz::sim_requests::judge);
