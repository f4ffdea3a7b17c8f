//! What can become of a call at an upstream, and what a provider may make of it.

use std::fmt;

use recharge_core::{QueryOutcome, SubmitOutcome};

/// What becomes of a call about one order number. A [`Bench`](super::Bench) arranges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Situation {
    /// What becomes of the first submit of the number.
    Submit(OnSubmit),
    /// What becomes of the first query about the number.
    Query(OnQuery),
}

impl Situation {
    /// Every situation.
    pub fn all() -> impl Iterator<Item = Self> {
        let submits = OnSubmit::ALL.iter().copied().map(Self::Submit);
        submits.chain(OnQuery::ALL.iter().copied().map(Self::Query))
    }

    /// Whether every bench must be able to make it: without these the suite would prove little.
    pub const fn is_required(self) -> bool {
        match self {
            Self::Submit(situation) => matches!(
                situation,
                OnSubmit::Refused
                    | OnSubmit::AnswerLost
                    | OnSubmit::NeverAnswered
                    | OnSubmit::ServerError
                    | OnSubmit::ServerErrorTaken
                    | OnSubmit::Html
                    | OnSubmit::Truncated
            ),
            Self::Query(situation) => matches!(
                situation,
                OnQuery::AnswerLost | OnQuery::ServerError | OnQuery::Html | OnQuery::Truncated
            ),
        }
    }
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Submit(situation) => write!(f, "submit: {situation:?}"),
            Self::Query(situation) => write!(f, "query: {situation:?}"),
        }
    }
}

macro_rules! situations {
    ($(#[doc = $about:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $variant:ident,)+ }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
        }
    };
}

situations! {
    /// What becomes of a submit. Where one comes as a pair, the one whose name ends in `Taken` books the
    /// order, and the other doesn't: from outside they look alike.
    OnSubmit {
        /// Nobody listens: not one byte can be written.
        NoConnection,
        /// The connection is closed as it is accepted, and nothing is read.
        ClosedAtAccept,
        /// The request is read, then the connection reset. Not taken.
        Reset,
        /// The order is taken, then the connection reset without an answer.
        AnswerLost,
        /// The request is read and never answered. Not taken.
        NeverAnswered,
        /// The order is taken, and the call never answered.
        NeverAnsweredTaken,
        /// Never answered, and the order is taken when the client has long given up.
        TakenLate,
        /// Taken. The true answer breaks off, though its length was announced.
        CutOff,
        /// An HTTP status of 5xx. Not taken.
        ServerError,
        /// An HTTP status of 5xx, though the order was taken.
        ServerErrorTaken,
        /// A page of HTML with status 200. Not taken.
        Html,
        /// A page of HTML with status 200, though the order was taken.
        HtmlTaken,
        /// Taken. The true answer cut in its middle, as a whole HTTP message.
        Truncated,
        /// Taken. The true answer with bytes in it that are no text.
        Garbled,
        /// Taken. The true answer with other types where its code and result should be.
        WrongTyped,
        /// Taken. The true answer with its code written twice, differently.
        DuplicateKey,
        /// Taken. The true answer within more than a megabyte.
        Huge,
        /// Taken. The true answer, a few bytes at a time, within the client's patience.
        Dripping,
        /// Taken. The true answer with numbers as texts and numeric texts as numbers.
        OtherTypes,
        /// Taken. The answer leaves out our order number, as that upstream is known to do.
        EmptyEcho,
        /// Taken. The answer names another account or another order number. Arranged for several
        /// orders, it is to vary between them.
        WrongEcho,
        /// The packet arrives once more after the answer; the upstream refuses the copy.
        RepeatedPacket,
        /// A code that says plainly: not accepted. Not taken, now or later. Arranged for several
        /// orders, it is to vary between such codes.
        Refused,
        /// A code for trouble in the upstream's system. Not taken.
        SystemError,
        /// The same code, though the order was taken.
        SystemErrorTaken,
        /// A code that sounds like a failure and proves nothing. Not taken.
        SoundsFailed,
        /// The same code, though the order was taken.
        SoundsFailedTaken,
        /// A code that no document lists. Not taken.
        UnlistedCode,
        /// A code that no document lists, though the order was taken.
        UnlistedCodeTaken,
        /// The code for a number that exists, for one that was never seen. Not taken.
        DuplicateCode,
        /// The code for a number that exists, though this very call took the order.
        DuplicateCodeTaken,
    }
}

situations! {
    /// What becomes of a query. All but the first ask about an order that was taken.
    OnQuery {
        /// The number was never received, and the upstream says explicitly that it has no such order.
        NeverReceived,
        /// The upstream says explicitly that it has no such order, though it was taken.
        NotFoundOnce,
        /// Nobody listens.
        NoConnection,
        /// The connection is reset without an answer.
        AnswerLost,
        /// Never answered.
        NeverAnswered,
        /// The true answer breaks off, though its length was announced.
        CutOff,
        /// An HTTP status of 5xx.
        ServerError,
        /// A page of HTML with status 200.
        Html,
        /// The true answer cut in its middle, as a whole HTTP message.
        Truncated,
        /// The true answer with bytes in it that are no text.
        Garbled,
        /// The true answer with other types where its code and result should be.
        WrongTyped,
        /// The true answer with its code written twice, differently.
        DuplicateKey,
        /// The true answer within more than a megabyte.
        Huge,
        /// The true answer, a few bytes at a time, within the client's patience.
        Dripping,
        /// The true answer with numbers as texts and numeric texts as numbers.
        OtherTypes,
        /// The answer names another account or another order number. Arranged for several orders, it
        /// is to vary between them.
        WrongEcho,
        /// A code for trouble in the upstream's system.
        SystemError,
        /// A code that no document lists.
        UnlistedCode,
        /// A state that no document lists.
        UnlistedState,
        /// A code for "too many calls" or for maintenance. Arranged for several orders, it is to vary
        /// between such codes.
        RateLimited,
    }
}

/// The arm of a [`SubmitOutcome`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubmitArm {
    /// [`SubmitOutcome::Accepted`].
    Accepted,
    /// [`SubmitOutcome::Rejected`].
    Rejected,
    /// [`SubmitOutcome::NotSent`].
    NotSent,
    /// [`SubmitOutcome::Unknown`].
    Unknown,
}

impl SubmitArm {
    /// The arm of an outcome.
    pub const fn of(outcome: &SubmitOutcome) -> Self {
        match outcome {
            SubmitOutcome::Accepted(_) => Self::Accepted,
            SubmitOutcome::Rejected(_) => Self::Rejected,
            SubmitOutcome::NotSent(_) => Self::NotSent,
            SubmitOutcome::Unknown(_) => Self::Unknown,
        }
    }
}

/// The arm of a [`QueryOutcome`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueryArm {
    /// [`QueryOutcome::Found`].
    Found,
    /// [`QueryOutcome::NotFound`].
    NotFound,
    /// [`QueryOutcome::Unavailable`].
    Unavailable,
}

impl QueryArm {
    /// The arm of an outcome.
    pub const fn of(outcome: &QueryOutcome) -> Self {
        match outcome {
            QueryOutcome::Found(_) => Self::Found,
            QueryOutcome::NotFound(_) => Self::NotFound,
            QueryOutcome::Unavailable(_) => Self::Unavailable,
        }
    }
}

impl OnSubmit {
    /// What a provider may make of it.
    ///
    /// Where the request may be slow to leave, `NotSent` stands beside `Unknown`: the ledger tells
    /// whether it was true.
    pub const fn allows(self) -> &'static [SubmitArm] {
        use SubmitArm::{Accepted, NotSent, Rejected, Unknown};
        match self {
            Self::NoConnection => &[NotSent],
            Self::ClosedAtAccept
            | Self::NeverAnswered
            | Self::NeverAnsweredTaken
            | Self::TakenLate => &[Unknown, NotSent],
            Self::Refused => &[Rejected],
            Self::OtherTypes | Self::EmptyEcho | Self::RepeatedPacket => &[Accepted],
            // Whoever reads it whole may believe it.
            Self::Huge | Self::Dripping => &[Unknown, Accepted],
            Self::Reset
            | Self::AnswerLost
            | Self::CutOff
            | Self::ServerError
            | Self::ServerErrorTaken
            | Self::Html
            | Self::HtmlTaken
            | Self::Truncated
            | Self::Garbled
            | Self::WrongTyped
            | Self::DuplicateKey
            | Self::WrongEcho
            | Self::SystemError
            | Self::SystemErrorTaken
            | Self::SoundsFailed
            | Self::SoundsFailedTaken
            | Self::UnlistedCode
            | Self::UnlistedCodeTaken
            | Self::DuplicateCode
            | Self::DuplicateCodeTaken => &[Unknown],
        }
    }

    /// Whether the upstream takes the order in the end.
    pub const fn is_taken(self) -> bool {
        match self {
            Self::NoConnection
            | Self::ClosedAtAccept
            | Self::Reset
            | Self::NeverAnswered
            | Self::ServerError
            | Self::Html
            | Self::Refused
            | Self::SystemError
            | Self::SoundsFailed
            | Self::UnlistedCode
            | Self::DuplicateCode => false,
            Self::AnswerLost
            | Self::NeverAnsweredTaken
            | Self::TakenLate
            | Self::CutOff
            | Self::ServerErrorTaken
            | Self::HtmlTaken
            | Self::Truncated
            | Self::Garbled
            | Self::WrongTyped
            | Self::DuplicateKey
            | Self::Huge
            | Self::Dripping
            | Self::OtherTypes
            | Self::EmptyEcho
            | Self::WrongEcho
            | Self::RepeatedPacket
            | Self::SystemErrorTaken
            | Self::SoundsFailedTaken
            | Self::UnlistedCodeTaken
            | Self::DuplicateCodeTaken => true,
        }
    }

    /// Whether a whole answer comes, whose text is to be kept with a doubt about it.
    pub const fn has_text(self) -> bool {
        match self {
            Self::NoConnection
            | Self::ClosedAtAccept
            | Self::Reset
            | Self::AnswerLost
            | Self::NeverAnswered
            | Self::NeverAnsweredTaken
            | Self::TakenLate
            | Self::CutOff
            | Self::Huge
            | Self::Dripping => false,
            Self::ServerError
            | Self::ServerErrorTaken
            | Self::Html
            | Self::HtmlTaken
            | Self::Truncated
            | Self::Garbled
            | Self::WrongTyped
            | Self::DuplicateKey
            | Self::OtherTypes
            | Self::EmptyEcho
            | Self::WrongEcho
            | Self::RepeatedPacket
            | Self::Refused
            | Self::SystemError
            | Self::SystemErrorTaken
            | Self::SoundsFailed
            | Self::SoundsFailedTaken
            | Self::UnlistedCode
            | Self::UnlistedCodeTaken
            | Self::DuplicateCode
            | Self::DuplicateCodeTaken => true,
        }
    }
}

impl OnQuery {
    /// What a provider may make of it.
    pub const fn allows(self) -> &'static [QueryArm] {
        use QueryArm::{Found, NotFound, Unavailable};
        match self {
            Self::NeverReceived | Self::NotFoundOnce => &[NotFound],
            Self::OtherTypes => &[Found],
            // Whoever reads it whole may believe it.
            Self::Huge | Self::Dripping => &[Found, Unavailable],
            Self::NoConnection
            | Self::AnswerLost
            | Self::NeverAnswered
            | Self::CutOff
            | Self::ServerError
            | Self::Html
            | Self::Truncated
            | Self::Garbled
            | Self::WrongTyped
            | Self::DuplicateKey
            | Self::WrongEcho
            | Self::SystemError
            | Self::UnlistedCode
            | Self::UnlistedState
            | Self::RateLimited => &[Unavailable],
        }
    }
}
