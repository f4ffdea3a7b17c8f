//! The kinds of fault, and the stage of a call at which each can strike.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::Upstream;

/// A point at which a fault can strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// A call that places an order.
    Submit,
    /// A call that asks for the state of one order.
    Query,
    /// Every other call: checks, prices, balance, lists.
    Read,
    /// A callback about to be sent.
    Callback,
    /// How an order that was taken ends. Not a fault of a call, so it counts towards no hit rate.
    End,
    /// The connection, once the first line of a request has been read and nothing else.
    RequestLine,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 6] = [
        Self::Submit,
        Self::Query,
        Self::Read,
        Self::Callback,
        Self::End,
        Self::RequestLine,
    ];

    /// The name in scenario files and `/_sim/faults`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Query => "query",
            Self::Read => "read",
            Self::Callback => "callback",
            Self::End => "end",
            Self::RequestLine => "request_line",
        }
    }
}

macro_rules! fault_kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal at [$($stage:ident),+],)+) => {
        /// A kind of fault. Where a kind comes as a pair, the one whose name ends in `Taken` books the
        /// order before the answer is spoilt, and the other never does: from outside they look alike.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultKind {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl FaultKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name in scenario files, `/_sim/faults`, `/_sim/log` and counts.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The stages at which it can strike.
            pub const fn stages(self) -> &'static [Stage] {
                match self { $(Self::$variant => &[$(Stage::$stage,)+],)+ }
            }
        }
    };
}

fault_kinds! {
    /// 500, 502, 503 or 504 with a page of HTML; nothing is done.
    ServerError = "server_error" at [Submit, Query, Read],
    /// As [`ServerError`](Self::ServerError), after the order was taken.
    ServerErrorTaken = "server_error_taken" at [Submit],
    /// A page of HTML with status 200; nothing is done.
    Html = "html" at [Submit, Query, Read],
    /// As [`Html`](Self::Html), after the order was taken.
    HtmlTaken = "html_taken" at [Submit],
    /// The true answer, cut in its middle, as a complete HTTP message.
    Truncated = "truncated" at [Submit, Query, Read],
    /// The true answer with its full length announced; the connection closes in the middle.
    CutOff = "cut_off" at [Submit, Query, Read],
    /// The true answer with bytes replaced that are no UTF-8 and no JSON.
    Garbled = "garbled" at [Submit, Query, Read],
    /// The true answer with an array for the code and a text for the result.
    WrongTyped = "wrong_typed" at [Submit, Query, Read],
    /// The true answer with its code written twice, the first time differently.
    DuplicateKey = "duplicate_key" at [Submit, Query, Read],
    /// The true answer with two million spaces before its last brace.
    Huge = "huge" at [Submit, Query, Read],
    /// The true answer with numbers as texts and numeric texts as numbers: to be understood.
    OtherTypes = "other_types" at [Submit, Query, Read],
    /// The call is carried out and the connection reset without an answer.
    AnswerLost = "answer_lost" at [Submit, Query, Read],
    /// Nothing is done and nothing is answered; the connection stays open for `timeout_hold`.
    TimeoutBefore = "timeout_before" at [Submit, Query, Read],
    /// The order is taken, then as [`TimeoutBefore`](Self::TimeoutBefore).
    TimeoutAfter = "timeout_after" at [Submit],
    /// Nothing is answered, and the order is taken `delayed_acceptance` after it was received: when
    /// the client has long given up.
    DelayedAcceptance = "delayed_acceptance" at [Submit],
    /// The true answer, a few bytes at a time.
    Drip = "drip" at [Submit, Query, Read],
    /// The connection is reset when the request has been read; nothing is done.
    Reset = "reset" at [Submit, Query, Read],
    /// Juhe 10014, Jisu 210; nothing is done.
    SystemError = "system_error" at [Submit, Query, Read],
    /// Juhe 10014, Jisu 210, though the order was taken.
    SystemErrorTaken = "system_error_taken" at [Submit],
    /// Juhe 208516, Jisu 212 for an order number never seen; nothing is done.
    DuplicateCode = "duplicate_code" at [Submit],
    /// Juhe 208516, Jisu 212, though this very call took the order.
    DuplicateCodeTaken = "duplicate_code_taken" at [Submit],
    /// Juhe 208507 "recharge failed"; nothing is done.
    RechargeFailed = "recharge_failed" at [Submit],
    /// Juhe 208507 "recharge failed", though the order was taken.
    RechargeFailedTaken = "recharge_failed_taken" at [Submit],
    /// Juhe 208508 "request failed, retry"; nothing is done.
    RequestFailed = "request_failed" at [Submit],
    /// Juhe 208508 "request failed, retry", though the order was taken.
    RequestFailedTaken = "request_failed_taken" at [Submit],
    /// A code that no document lists; nothing is done.
    UnlistedCode = "unlisted_code" at [Submit, Query, Read],
    /// A code that no document lists, though the order was taken.
    UnlistedCodeTaken = "unlisted_code_taken" at [Submit],
    /// A code that says plainly that the order was not accepted, and it is not: now or later.
    Refused = "refused" at [Submit],
    /// An order is taken and the answer names another account or order number.
    WrongEcho = "wrong_echo" at [Submit, Query],
    /// Jisu: the answer's `outorderno` is empty, as in the merchant's own sample. Harmless.
    EmptyEcho = "empty_echo" at [Submit],
    /// The same packet is processed again `repeat_after` later; the first answer goes out.
    RepeatedPacket = "repeated_packet" at [Submit],
    /// The same packet is processed twice at once; the second answer ("duplicate") goes out.
    RepeatedPacketSecond = "repeated_packet_second" at [Submit],
    /// The same packet is processed twice at once; the second time it is refused for want of
    /// balance, and that answer goes out though the first was taken. Queries tell the truth.
    RepeatedPacketRefused = "repeated_packet_refused" at [Submit],
    /// The order's number is refused and yet the order is taken and paid `late_payment` later. Only a
    /// liar does this.
    LatePayment = "late_payment" at [Submit],
    /// A taken order is "not found", as long as no query has shown it yet, three times at most.
    NotFound = "not_found" at [Query],
    /// The state is a value that no document lists.
    UnlistedState = "unlisted_state" at [Query],
    /// A rate-limit or maintenance code: it says nothing about the order.
    RateLimited = "rate_limited" at [Query, Read],
    /// The connection is reset after the request's first line, before the rest of it is looked at.
    ResetAtLine = "reset_at_line" at [RequestLine],
    /// The callback is never sent.
    CallbackDropped = "callback_dropped" at [Callback],
    /// The callback is sent twice.
    CallbackDoubled = "callback_doubled" at [Callback],
    /// The callback is held back for `callback_reorder`, so that later ones overtake it.
    CallbackReordered = "callback_reordered" at [Callback],
    /// Before the true callback comes one with the opposite state and a made-up signature.
    CallbackForged = "callback_forged" at [Callback],
    /// Instead of the true callback comes one with the opposite state and the true one's signature
    /// (which, for Juhe, does not cover the state and so verifies).
    CallbackOtherSta = "callback_other_sta" at [Callback],
    /// Instead of the true callback comes one whose two order numbers are divided elsewhere: their
    /// concatenation, and so the signature, is the same.
    CallbackResplit = "callback_resplit" at [Callback],
    /// Instead of the true callback comes one that gives our order another number of the upstream's, rightly
    /// signed: the upstream has mixed up two orders.
    CallbackMixedUp = "callback_mixed_up" at [Callback],
    /// The order ends and its callback is sent before the submit is answered.
    CallbackEarly = "callback_early" at [Submit],
    /// The order fails: Juhe 9, Jisu 2.
    OrderFails = "order_fails" at [End],
    /// Juhe: the order was not taken on (state -1); ends as failed.
    NotTakenOn = "not_taken_on" at [End],
    /// The order is shown as failed, and `reversal` later as succeeded. Only a liar does this.
    FailsThenSucceeds = "fails_then_succeeds" at [End],
    /// The order is shown as succeeded, and `reversal` later as failed. Only a liar does this.
    SucceedsThenFails = "succeeds_then_fails" at [End],
}

impl FaultKind {
    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether it can strike at this stage of a call to this upstream.
    pub fn applies(self, stage: Stage, upstream: Upstream) -> bool {
        let juhe_only = matches!(
            self,
            Self::RechargeFailed
                | Self::RechargeFailedTaken
                | Self::RequestFailed
                | Self::RequestFailedTaken
                | Self::NotTakenOn
        );
        let jisu_only = matches!(self, Self::EmptyEcho)
            // Juhe's status answer echoes neither the account nor our number.
            || (matches!(self, Self::WrongEcho) && stage == Stage::Query);
        self.stages().contains(&stage)
            && match upstream {
                Upstream::Juhe => !jisu_only,
                Upstream::Jisu => !juhe_only,
            }
    }

    /// The names of the kinds that can strike at `stage`, for an error that says what would be right.
    pub(crate) fn names_at(stage: Stage) -> String {
        let names: Vec<&str> = Self::ALL
            .iter()
            .filter(|kind| kind.stages().contains(&stage))
            .map(|kind| kind.name())
            .collect();
        names.join(", ")
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for FaultKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for FaultKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
            serde::de::Error::custom(format!(
                "no fault is called {name:?}; write one of {}",
                all.join(", ")
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_differ() {
        let mut names: Vec<&str> = FaultKind::ALL.iter().map(|kind| kind.name()).collect();
        for kind in FaultKind::ALL {
            assert_eq!(FaultKind::parse(kind.name()), Some(*kind));
            assert!(!kind.stages().is_empty());
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FaultKind::ALL.len());
    }

    #[test]
    fn codes_that_only_juhe_has_never_strike_jisu() {
        assert!(FaultKind::RechargeFailed.applies(Stage::Submit, Upstream::Juhe));
        assert!(!FaultKind::RechargeFailed.applies(Stage::Submit, Upstream::Jisu));
        assert!(!FaultKind::WrongEcho.applies(Stage::Query, Upstream::Juhe));
        assert!(FaultKind::WrongEcho.applies(Stage::Query, Upstream::Jisu));
    }
}
