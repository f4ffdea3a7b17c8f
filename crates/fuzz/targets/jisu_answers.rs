//! Fuzzes [`recharge_fuzz::jisu_answers`].
#![cfg_attr(fuzzing, no_main)]

recharge_fuzz::target!(recharge_fuzz::jisu_answers::judge);
