//! Fuzzes [`recharge_fuzz::juhe_callback`].
#![cfg_attr(fuzzing, no_main)]

recharge_fuzz::target!(recharge_fuzz::juhe_callback::judge);
