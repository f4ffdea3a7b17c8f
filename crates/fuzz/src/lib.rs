//! What reads the words of others, tried on anything that a fuzzer comes up with.
//!
//! A target takes bytes, gives them to a public function of ours as an upstream, a merchant or a file
//! would, and holds what comes back against laws. "It doesn't panic" is the least of them. Each law names
//! what would cost money or leak: an acceptance that no answer proves, a callback whose signature nobody
//! made, a row of a file that was read as another, a key in an error.
//!
//! What a law compares with is worked out here, in another way than the code under test does it: the
//! answers by [`Object`](json::Object), forms by [`fields`], signatures by the simulator's own MD5, codes by
//! lists of their own. A change of what a code proves is therefore made in two places.
//!
//! | target | what it is given | what it breaks on |
//! |---|---|---|
//! | [`juhe_answers`], [`jisu_answers`] | the answer to each call | evidence that the answer doesn't hold |
//! | [`juhe_callback`], [`jisu_callback`] | the body of a callback | a forgery taken for genuine, and the other way round |
//! | [`sim_requests`] | requests to the simulator, one after the other | a charge that nobody signed, books that don't add up |
//! | [`csv_batch`] | a file of orders | an order lost, doubled or changed |
//! | [`config`] | `recharge.toml` | a secret shown, rules that make no sense |
//! | [`event_decoding`] | a record of the log | what is read back as something else |
//!
//! `cargo xtask fuzz` runs them. The inputs in `corpus` are tried by `cargo xtask test` too, which needs no
//! fuzzer.

pub mod callbacks;
pub mod config;
pub mod csv_batch;
pub mod event_decoding;
pub mod fields;
pub mod hidden;
pub mod jisu_answers;
pub mod jisu_callback;
pub mod json;
pub mod juhe_answers;
pub mod juhe_callback;
pub mod sim_requests;
pub mod upstream;

/// A target: its name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target. Each has a program of its name in `targets`, and a folder of it in `corpus`.
pub const TARGETS: [Target; 8] = [
    ("juhe_answers", juhe_answers::judge),
    ("jisu_answers", jisu_answers::judge),
    ("juhe_callback", juhe_callback::judge),
    ("jisu_callback", jisu_callback::judge),
    ("sim_requests", sim_requests::judge),
    ("csv_batch", csv_batch::judge),
    ("config", config::judge),
    ("event_decoding", event_decoding::judge),
];

/// The program of a target: libFuzzer's when it is built by cargo-fuzz; else one that says so.
#[macro_export]
macro_rules! target {
    ($judge:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $judge(data));

        #[cfg(not(fuzzing))]
        fn main() {
            eprintln!("error: built without a fuzzer; run `cargo xtask fuzz`");
            std::process::exit(2);
        }
    };
}
