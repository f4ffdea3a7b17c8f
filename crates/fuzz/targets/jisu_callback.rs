//! Fuzzes [`recharge_fuzz::jisu_callback`].
#![cfg_attr(fuzzing, no_main)]

recharge_fuzz::target!(recharge_fuzz::jisu_callback::judge);
