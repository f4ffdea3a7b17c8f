//! The suite that every [`Store`] must pass.
//!
//! Each case is a test of its own on a fresh store. A [`Harness`] says how the store is opened, what is
//! left of it after a crash, and how a commit can be made to fail, to be lost or to land unseen. So the
//! suite can hold every answer against what is there afterwards:
//!
//! - what was answered for is there after a crash, whole;
//! - what was refused has changed nothing;
//! - after an unknown commit all of it is there or nothing is, and reading tells which.
//!
//! Use it from a file in `tests/`, in a module for each store:
//!
//! ```text
//! mod mine {
//!     recharge_conformance::store_suite!(MyHarness::new());
//! }
//! ```
#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a suite fails by panicking"
)]

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use recharge_engine::Store;

mod accept;
mod append;
mod claims;
mod events;
mod fates;
mod kit;
mod look;
mod race;
mod told;

pub use accept::*;
pub use append::*;
pub use claims::*;
pub use events::*;
pub use fates::*;
pub use look::*;
pub use race::*;
pub use told::*;

pub use kit::Scene;

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It fails, nothing is written, and the store knows.
    Refused,
    /// Nothing is written, and the store doesn't know.
    Lost,
    /// It is durable, and the store doesn't know.
    Landed,
}

/// How the store under test is opened and broken.
#[async_trait]
pub trait Harness: fmt::Debug + Send + Sync {
    /// A fresh, empty store. Called once, first.
    async fn open(&self) -> Arc<dyn Store>;

    /// The process dies and is started again: the store as it is opened then, with what was durable and
    /// nothing else. The earlier one is not used any more.
    async fn crash(&self) -> Arc<dyn Store>;

    /// What becomes of the next commit of the present store.
    fn next_commit(&self, fate: Fate);
}

/// Expands to one `#[test]` for each case of the suite. The argument is an expression that gives a fresh
/// [`Harness`](crate::store::Harness).
#[macro_export]
macro_rules! store_suite {
    ($harness:expr) => {
        $crate::store_suite!(@list tests [$harness]);
    };
    (@list $what:ident [$($with:tt)*]) => {
        $crate::store_suite! { @$what [$($with)*]
            an_order_is_taken_once
            the_same_id_for_something_else_is_a_conflict
            an_acceptance_comes_back_exactly
            keys_rise
            a_duplicate_is_refused_within_its_time
            an_account_has_its_limits
            the_same_order_again_passes_every_guard
            of_many_duplicates_at_once_one_is_taken
            due_orders_are_claimed_once_the_longest_due_first
            a_released_order_is_claimed_again
            what_is_put_off_is_due_later
            what_comes_due_earlier_is_not_passed_over
            a_new_order_is_claimed_by_its_lease
            one_order_is_claimed_by_name
            claims_die_with_the_process
            a_later_worker_voids_earlier_leases
            leases_and_epochs_never_repeat
            a_hold_stays_until_it_is_over
            events_are_appended_at_their_version_only
            only_who_has_the_order_appends_under_a_lease
            a_refused_append_spoils_no_neighbour
            the_log_is_the_order
            every_kind_of_event_comes_back
            a_refused_commit_changes_nothing
            a_lost_commit_is_not_there
            a_landed_commit_is_there
            an_unknown_commit_is_settled_before_a_crash
            claims_outlive_an_unknown_commit
            messages_wait_until_they_are_delivered
            messages_come_with_their_step
            a_delivery_that_fails_is_put_off
            of_an_order_the_oldest_is_told_first
            a_callback_is_kept_once
            a_callback_is_whose_its_number_is
            unhandled_callbacks_outlive_a_crash
            a_callback_is_handled_with_its_step
            pages_cover_every_order_once
            pages_go_by_the_time_of_acceptance
            what_is_counted_is_what_is_listed
            filters_let_through_what_they_say
            a_survey_finds_the_open_and_the_far_off
            statistics_count_what_is_there
            what_is_not_there_is_not_found
            racing_workers_lose_nothing
            racing_claims_are_exclusive
        }
    };
    (@tests [$harness:expr] $($case:ident)+) => {
        $(
            #[test]
            fn $case() {
                $crate::store::run(Box::new($harness), $crate::store::$case);
            }
        )+
    };
    (@cases [] $($case:ident)+) => {
        &[$($crate::store::Case {
            name: stringify!($case),
            run: |harness| $crate::store::run(harness, $crate::store::$case),
        },)+]
    };
}

/// Every case, for those who run them otherwise than by [`store_suite!`](crate::store_suite).
pub const CASES: &[Case] = crate::store_suite!(@list cases []);

/// A case of the suite.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name: that of the function and of the test.
    pub name: &'static str,
    /// Runs it on a fresh store. It panics if the store fails it.
    pub run: fn(Box<dyn Harness>),
}

/// Runs one case in a runtime of its own, with two threads.
pub fn run<F: Future<Output = ()>>(harness: Box<dyn Harness>, case: impl FnOnce(Scene) -> F) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(async { case(Scene::open(harness).await).await });
}
