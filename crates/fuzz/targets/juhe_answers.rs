//! Fuzzes [`recharge_fuzz::juhe_answers`].
#![cfg_attr(fuzzing, no_main)]

recharge_fuzz::target!(recharge_fuzz::juhe_answers::judge);
