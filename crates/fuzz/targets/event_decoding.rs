//! Fuzzes [`recharge_fuzz::event_decoding`].
#![cfg_attr(fuzzing, no_main)]

recharge_fuzz::target!(recharge_fuzz::event_decoding::judge);
