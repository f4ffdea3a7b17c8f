//! Adapters that are wrong in one way each, and the case that must find it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use recharge_conformance::provider::{
    Arranged, Bench, CASES, CallbackSample, End, Entry, Failure, Situation, run,
};
use recharge_core::{
    Account, AccountKind, Answer, AttemptNumber, CallError, CallErrorKind, Callback, CallbackError,
    Capabilities, Doubt, DoubtKind, FaceValue, Money, NotSent, Page, Provider, ProviderId,
    QueryOutcome, QueryRequest, Quote, Receipt, Redactor, Rejection, Sighting, SubmitOutcome,
    SubmitRequest, Unavailable, UnavailableKind, UpstreamOrderId, UpstreamState,
};

use crate::honest::{self, KEY};

/// Ways to be wrong. Each is one that a client of such an interface has been seen with, or one step
/// from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    TimeoutIsRejected,
    TimeoutIsNotSent,
    Retries,
    RetriesAfterServerError,
    AsksTwice,
    QueriesAfterSubmit,
    ServerErrorIsRejected,
    HtmlIsAccepted,
    HtmlIsNotFound,
    TroubleIsNotFound,
    UnreadableIsRejected,
    TextIsLost,
    SystemErrorIsRejected,
    UnlistedCodeIsRejected,
    DuplicateIsAccepted,
    DuplicateIsRejected,
    EchoIsNotCompared,
    RefusalIsUnknown,
    RefusalIsAccepted,
    NumbersOnly,
    SendsLate,
    KeyInDebug,
    AccountInOutcome,
    RefusedConnectionIsUnknown,
    EverythingIsCharging,
    UnlistedStateIsSuccess,
    LimitIsTransport,
    NotFoundIsUnavailable,
    LimitIsNotFound,
    SellsWhatItDoesNot,
    HasLessThanDeclared,
    NothingOnOffer,
    DescendingFaceValues,
    HidesACall,
    NoBalance,
    ChecksNothing,
    OneReceiptForAll,
    ForgetsAfterDrop,
    BelievesAnySign,
    ForgedIsUnusable,
    GenuineIsForged,
    TakesTheFirstOfTwo,
    MissingIsForged,
    SaysItCoversNothing,
}

/// The honest adapter with a defect.
struct Broken {
    inner: Arc<dyn Provider>,
    defect: Defect,
    capabilities: Capabilities,
    first: Mutex<Option<UpstreamOrderId>>,
    busy: AtomicBool,
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.defect {
            Defect::KeyInDebug => write!(f, "Broken {{ key: {KEY:?} }}"),
            _ => f.write_str("Broken"),
        }
    }
}

impl Broken {
    fn new(inner: Arc<dyn Provider>, defect: Defect) -> Self {
        let mut capabilities = inner.capabilities().clone();
        match defect {
            Defect::SellsWhatItDoesNot => {
                let more = FaceValue::from_yuan(500).unwrap();
                capabilities.offers[0].face_values.push(more);
            }
            Defect::NothingOnOffer => capabilities.offers.clear(),
            Defect::DescendingFaceValues => capabilities.offers[0].face_values.reverse(),
            Defect::HidesACall => capabilities.calls.retain(|call| call.as_str() != "quote"),
            Defect::SaysItCoversNothing => capabilities.callback_covers_state = false,
            _ => {}
        }
        Self {
            inner,
            defect,
            capabilities,
            first: Mutex::new(None),
            busy: AtomicBool::new(false),
        }
    }

    fn outcome(&self, order: &SubmitRequest, outcome: SubmitOutcome) -> SubmitOutcome {
        use DoubtKind::{Code, Echo, HttpStatus, NoAnswer, Unreadable};
        let rejected = |doubt: &Doubt| SubmitOutcome::Rejected(Rejection::new(text_of(doubt)));
        let accepted = |doubt: &Doubt| SubmitOutcome::Accepted(Receipt::new(text_of(doubt)));
        let code = |doubt: &Doubt| {
            doubt
                .answer
                .as_ref()
                .map_or(String::new(), |a| a.code.clone())
        };
        match (self.defect, outcome) {
            (Defect::TimeoutIsRejected, SubmitOutcome::Unknown(d)) if d.kind == NoAnswer => {
                rejected(&d)
            }
            (Defect::TimeoutIsNotSent, SubmitOutcome::Unknown(d)) if d.kind == NoAnswer => {
                SubmitOutcome::NotSent(NotSent::new("no answer"))
            }
            (Defect::ServerErrorIsRejected, SubmitOutcome::Unknown(d)) if d.kind == HttpStatus => {
                rejected(&d)
            }
            (Defect::HtmlIsAccepted, SubmitOutcome::Unknown(d))
                if d.kind == Unreadable && text_of(&d).raw.contains("html") =>
            {
                accepted(&d)
            }
            (Defect::UnreadableIsRejected, SubmitOutcome::Unknown(d)) if d.kind == Unreadable => {
                rejected(&d)
            }
            (Defect::TextIsLost, SubmitOutcome::Unknown(mut d)) => {
                d.answer = None;
                SubmitOutcome::Unknown(d)
            }
            (Defect::SystemErrorIsRejected, SubmitOutcome::Unknown(d)) if code(&d) == "3" => {
                rejected(&d)
            }
            (Defect::UnlistedCodeIsRejected, SubmitOutcome::Unknown(d))
                if d.kind == Code && code(&d) == "99" =>
            {
                rejected(&d)
            }
            (Defect::DuplicateIsAccepted, SubmitOutcome::Unknown(d)) if code(&d) == "2" => {
                accepted(&d)
            }
            (Defect::DuplicateIsRejected, SubmitOutcome::Unknown(d)) if code(&d) == "2" => {
                rejected(&d)
            }
            (Defect::EchoIsNotCompared, SubmitOutcome::Unknown(d)) if d.kind == Echo => {
                accepted(&d)
            }
            (Defect::RefusalIsUnknown, SubmitOutcome::Rejected(r)) => {
                SubmitOutcome::Unknown(Doubt::new(Code, "refused").with_answer(r.answer))
            }
            (Defect::RefusalIsAccepted, SubmitOutcome::Rejected(r)) => {
                SubmitOutcome::Accepted(Receipt::new(r.answer))
            }
            (Defect::NumbersOnly, SubmitOutcome::Accepted(r))
                if r.answer.raw.contains(r#""code":"0""#) =>
            {
                SubmitOutcome::Unknown(Doubt::new(Unreadable, "not a number").with_answer(r.answer))
            }
            (Defect::AccountInOutcome, SubmitOutcome::Accepted(mut r)) => {
                order.account.as_str().clone_into(&mut r.answer.message);
                SubmitOutcome::Accepted(r)
            }
            (Defect::RefusedConnectionIsUnknown, SubmitOutcome::NotSent(n)) => {
                SubmitOutcome::Unknown(Doubt::new(NoAnswer, n.reason))
            }
            (Defect::OneReceiptForAll, SubmitOutcome::Accepted(mut r)) => {
                let mut first = self.first.lock().unwrap();
                r.upstream_order_id =
                    Some(first.get_or_insert(r.upstream_order_id.unwrap()).clone());
                SubmitOutcome::Accepted(r)
            }
            (_, outcome) => outcome,
        }
    }

    fn answer(&self, outcome: QueryOutcome) -> QueryOutcome {
        let of = |trouble: &Unavailable| trouble.answer.clone().unwrap_or_else(nothing);
        match (self.defect, outcome) {
            (Defect::HtmlIsNotFound, QueryOutcome::Unavailable(t))
                if of(&t).raw.contains("html") =>
            {
                QueryOutcome::NotFound(of(&t))
            }
            (Defect::TroubleIsNotFound, QueryOutcome::Unavailable(t)) => {
                QueryOutcome::NotFound(of(&t))
            }
            (Defect::LimitIsNotFound, QueryOutcome::Unavailable(t))
                if t.kind == UnavailableKind::RateLimited =>
            {
                QueryOutcome::NotFound(of(&t))
            }
            (Defect::LimitIsTransport, QueryOutcome::Unavailable(mut t)) => {
                t.kind = UnavailableKind::Transport;
                QueryOutcome::Unavailable(t)
            }
            (Defect::NotFoundIsUnavailable, QueryOutcome::NotFound(a)) => {
                QueryOutcome::Unavailable(
                    Unavailable::new(UnavailableKind::Code, "none").with_answer(a),
                )
            }
            (Defect::EverythingIsCharging, QueryOutcome::Found(mut s)) => {
                s.state = UpstreamState::Charging;
                QueryOutcome::Found(s)
            }
            (Defect::UnlistedStateIsSuccess, QueryOutcome::Unavailable(t))
                if of(&t).raw.contains(r#""state":7"#) =>
            {
                QueryOutcome::Found(Sighting::new(UpstreamState::Succeeded, of(&t)))
            }
            (_, outcome) => outcome,
        }
    }
}

fn nothing() -> Answer {
    Answer::new(&Redactor::default(), &[], "", "", "")
}

fn text_of(doubt: &Doubt) -> Answer {
    doubt.answer.clone().unwrap_or_else(nothing)
}

#[async_trait]
impl Provider for Broken {
    fn id(&self) -> &ProviderId {
        self.inner.id()
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn submit(&self, order: &SubmitRequest) -> SubmitOutcome {
        let mut order = order.clone();
        if self.defect == Defect::SendsLate {
            order.send_before = None;
        }
        if self.defect == Defect::ForgetsAfterDrop {
            self.busy.store(true, Ordering::SeqCst);
        }
        let mut outcome = self.inner.submit(&order).await;
        self.busy.store(false, Ordering::SeqCst);
        let again = match &outcome {
            SubmitOutcome::Unknown(doubt) => match self.defect {
                Defect::Retries => doubt.kind == DoubtKind::NoAnswer,
                Defect::RetriesAfterServerError => doubt.kind == DoubtKind::HttpStatus,
                _ => false,
            },
            _ => false,
        };
        if again {
            outcome = self.inner.submit(&order).await;
        }
        if self.defect == Defect::QueriesAfterSubmit {
            let _ = self.inner.query(&order.query()).await;
        }
        self.outcome(&order, outcome)
    }

    async fn query(&self, order: &QueryRequest) -> QueryOutcome {
        if self.busy.load(Ordering::SeqCst) {
            let kind = UnavailableKind::Transport;
            return QueryOutcome::Unavailable(Unavailable::new(kind, "still busy with the submit"));
        }
        if self.defect == Defect::AsksTwice {
            let _ = self.inner.query(order).await;
        }
        self.answer(self.inner.query(order).await)
    }

    async fn check(
        &self,
        account: &Account,
        amount: FaceValue,
    ) -> Result<Result<(), Answer>, CallError> {
        match self.defect {
            Defect::ChecksNothing => Ok(Ok(())),
            _ => self.inner.check(account, amount).await,
        }
    }

    async fn quote(&self, account: &Account, amount: FaceValue) -> Result<Quote, CallError> {
        self.inner.quote(account, amount).await
    }

    async fn balance(&self) -> Result<Money, CallError> {
        match self.defect {
            Defect::NoBalance => Err(CallError::new(CallErrorKind::Unreadable, "none")),
            _ => self.inner.balance().await,
        }
    }

    async fn list(&self, kind: AccountKind, page: u32) -> Result<Page, CallError> {
        match self.defect {
            Defect::HasLessThanDeclared => Ok(Page::new(Vec::new(), false)),
            _ => self.inner.list(kind, page).await,
        }
    }

    fn parse_callback(
        &self,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Callback, CallbackError> {
        let text = String::from_utf8_lossy(body);
        let read = self.inner.parse_callback(content_type, body);
        match (self.defect, read) {
            (Defect::BelievesAnySign, Err(CallbackError::Forged)) => {
                Ok(Callback::new("N".to_owned()))
            }
            (Defect::ForgedIsUnusable, Err(CallbackError::Forged)) => {
                Err(CallbackError::Unusable("signature".to_owned()))
            }
            (Defect::GenuineIsForged, Ok(_)) => Err(CallbackError::Forged),
            (Defect::TakesTheFirstOfTwo, Err(CallbackError::Unusable(_)))
                if text.matches('=').count() > 4 =>
            {
                Ok(Callback::new("N".to_owned()))
            }
            (Defect::MissingIsForged, Err(CallbackError::Unusable(_))) => {
                Err(CallbackError::Forged)
            }
            (_, read) => read,
        }
    }
}

/// Every defect, and a case that must find it.
const FINDS: &[(Defect, &str)] = &[
    (Defect::TimeoutIsRejected, "no_answer_is_unknown"),
    (Defect::TimeoutIsRejected, "a_late_acceptance_was_unknown"),
    (Defect::TimeoutIsNotSent, "no_answer_is_unknown"),
    (Defect::Retries, "one_call_is_one_request"),
    (Defect::RetriesAfterServerError, "one_call_is_one_request"),
    (Defect::AsksTwice, "a_query_shows_what_the_books_say"),
    (Defect::QueriesAfterSubmit, "one_call_is_one_request"),
    (Defect::ServerErrorIsRejected, "a_server_error_is_unknown"),
    (Defect::HtmlIsAccepted, "a_page_of_html_is_unknown"),
    (
        Defect::HtmlIsNotFound,
        "trouble_with_a_query_teaches_nothing",
    ),
    (
        Defect::TroubleIsNotFound,
        "an_unreadable_answer_to_a_query_teaches_nothing",
    ),
    (
        Defect::UnreadableIsRejected,
        "an_unreadable_answer_is_unknown",
    ),
    (Defect::TextIsLost, "an_unreadable_answer_is_unknown"),
    (Defect::TextIsLost, "a_code_that_proves_nothing_is_unknown"),
    (
        Defect::SystemErrorIsRejected,
        "a_code_that_proves_nothing_is_unknown",
    ),
    (
        Defect::UnlistedCodeIsRejected,
        "a_code_that_proves_nothing_is_unknown",
    ),
    (Defect::DuplicateIsAccepted, "a_duplicate_number_is_unknown"),
    (Defect::DuplicateIsRejected, "a_duplicate_number_is_unknown"),
    (
        Defect::EchoIsNotCompared,
        "an_answer_about_another_order_is_unknown",
    ),
    (
        Defect::RefusalIsUnknown,
        "a_refusal_is_rejected_and_never_charged",
    ),
    (
        Defect::RefusalIsAccepted,
        "a_refusal_is_rejected_and_never_charged",
    ),
    (Defect::NumbersOnly, "harmless_variations_are_understood"),
    (Defect::SendsLate, "past_its_deadline_an_order_is_not_sent"),
    (
        Defect::KeyInDebug,
        "nothing_printed_holds_a_secret_or_an_account",
    ),
    (
        Defect::AccountInOutcome,
        "a_healthy_order_is_accepted_and_booked",
    ),
    (
        Defect::RefusedConnectionIsUnknown,
        "without_a_connection_nothing_was_sent",
    ),
    (
        Defect::RefusedConnectionIsUnknown,
        "what_is_not_on_offer_is_not_taken",
    ),
    (
        Defect::EverythingIsCharging,
        "a_query_shows_what_the_books_say",
    ),
    (
        Defect::UnlistedStateIsSuccess,
        "an_unreadable_answer_to_a_query_teaches_nothing",
    ),
    (Defect::LimitIsTransport, "a_limit_on_queries_is_named"),
    (Defect::LimitIsNotFound, "a_limit_on_queries_is_named"),
    (
        Defect::NotFoundIsUnavailable,
        "only_an_explicit_no_is_not_found",
    ),
    (
        Defect::SellsWhatItDoesNot,
        "every_face_value_on_offer_is_taken",
    ),
    (Defect::HasLessThanDeclared, "declared_calls_work"),
    (Defect::NothingOnOffer, "capabilities_are_sound"),
    (Defect::DescendingFaceValues, "capabilities_are_sound"),
    (Defect::HidesACall, "other_calls_are_unsupported"),
    (Defect::NoBalance, "declared_calls_work"),
    (Defect::ChecksNothing, "declared_calls_work"),
    (Defect::OneReceiptForAll, "orders_at_once_are_kept_apart"),
    (
        Defect::ForgetsAfterDrop,
        "a_dropped_submit_can_be_asked_about",
    ),
    (Defect::BelievesAnySign, "a_changed_callback_is_forged"),
    (Defect::ForgedIsUnusable, "a_changed_callback_is_forged"),
    (Defect::GenuineIsForged, "a_genuine_callback_is_read"),
    (Defect::TakesTheFirstOfTwo, "a_repeated_field_is_unusable"),
    (
        Defect::MissingIsForged,
        "an_incomplete_callback_is_unusable",
    ),
    (
        Defect::SaysItCoversNothing,
        "the_signature_covers_the_state_as_declared",
    ),
];

/// Runs a named case against the honest adapter with a defect.
fn verdict(defect: Defect, name: &str) -> Result<(), Failure> {
    let bench = honest::bench_of(|inner| Arc::new(Broken::new(inner, defect)));
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    run((case.run)(&bench))
}

#[test]
fn every_defect_is_found_by_the_case_that_is_there_for_it() {
    for (defect, case) in FINDS {
        let found = verdict(*defect, case);
        assert!(found.is_err(), "{case} passes an adapter with {defect:?}");
        assert!(!found.unwrap_err().to_string().contains(KEY), "{defect:?}");
    }
}

#[test]
fn every_case_can_fail() {
    let found: BTreeSet<&str> = FINDS.iter().map(|(_, case)| *case).collect();
    for case in CASES {
        // That one is about benches: see below.
        let expected = case.name == "the_bench_is_whole" || found.contains(case.name);
        assert!(expected, "no defect is found by {}", case.name);
    }
}

/// A bench that skips, or pretends to.
struct Lazy {
    inner: recharge_conformance::StubBench<honest::Words>,
    cannot: Vec<(Situation, &'static str)>,
    skips: Option<Situation>,
    secrets: Vec<String>,
}

#[async_trait]
impl Bench for Lazy {
    fn provider(&self) -> Arc<dyn Provider> {
        self.inner.provider()
    }

    fn secrets(&self) -> Vec<String> {
        self.secrets.clone()
    }

    fn order(&self, kind: AccountKind) -> SubmitRequest {
        self.inner.order(kind)
    }

    fn cannot(&self) -> &[(Situation, &'static str)] {
        &self.cannot
    }

    async fn arrange(
        &self,
        order: &SubmitRequest,
        situation: Situation,
    ) -> Result<Arranged, Failure> {
        if self.skips == Some(situation) {
            return Ok(Arranged::Cannot);
        }
        self.inner.arrange(order, situation).await
    }

    async fn end(&self, number: AttemptNumber, end: End) -> Result<(), Failure> {
        self.inner.end(number, end).await
    }

    async fn quiet(&self) -> Result<(), Failure> {
        self.inner.quiet().await
    }

    async fn entry(&self, number: AttemptNumber) -> Result<Entry, Failure> {
        self.inner.entry(number).await
    }

    async fn callback(
        &self,
        order: &SubmitRequest,
        end: End,
    ) -> Result<Option<CallbackSample>, Failure> {
        self.inner.callback(order, end).await
    }
}

#[test]
fn a_bench_that_skips_silently_is_found() {
    use recharge_conformance::provider::{OnQuery, OnSubmit};
    let honest = || Lazy {
        inner: honest::bench(),
        cannot: honest::bench().cannot().to_vec(),
        skips: None,
        secrets: vec![KEY.to_owned()],
    };
    let whole = |bench: &Lazy| run(recharge_conformance::provider::the_bench_is_whole(bench));
    assert_eq!(whole(&honest()), Ok(()));

    let mut silent = honest();
    silent.skips = Some(Situation::Submit(OnSubmit::Garbled));
    whole(&silent).unwrap_err();
    // It is found where the situation is met, too.
    run(recharge_conformance::provider::an_unreadable_answer_is_unknown(&silent)).unwrap_err();

    for (situation, reason) in [
        (Situation::Query(OnQuery::Garbled), ""),
        (
            Situation::Query(OnQuery::Garbled),
            "though it is arranged all the same",
        ),
        (
            Situation::Query(OnQuery::Html),
            "a required one, for some reason",
        ),
        (
            Situation::Submit(OnSubmit::EmptyEcho),
            "declared a second time here",
        ),
    ] {
        let mut wrong = honest();
        wrong.cannot.push((situation, reason));
        whole(&wrong).unwrap_err();
    }

    let mut shows_nothing = honest();
    shows_nothing.secrets.clear();
    whole(&shows_nothing).unwrap_err();
}
