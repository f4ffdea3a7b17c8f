//! The words that every other crate of Recharge speaks: amounts, accounts, order numbers, the states
//! of an order, what a call to an upstream can tell, and the [`Provider`] trait that adapters
//! implement.
//!
//! Nothing here does I/O, reads a clock, draws a random number or needs an async runtime. Text is
//! parsed once, where it comes in; a value of one of these types is valid.
//!
//! | module | what it holds |
//! |---|---|
//! | [`money`] | [`Money`] and [`FaceValue`]: integers, never floats |
//! | [`account`] | [`Account`]: mobile, landline, broadband or combined |
//! | [`carrier`] | [`Carrier`], and a hint by number segment |
//! | [`code`] | what upstreams' codes prove: [`Code`] rows, [`CodeTable`], [`CodeOverrides`] |
//! | [`id`] | [`MerchantId`], [`OrderId`], [`AttemptNumber`], [`UpstreamOrderId`], [`ProviderId`] |
//! | [`state`] | [`OrderState`], [`ReviewReason`], [`Standing`] and the table of moves |
//! | [`outcome`] | [`SubmitOutcome`] and [`QueryOutcome`]: to be matched, not `?`-ed away |
//! | [`provider`] | [`Provider`] and its [`Capabilities`] |
//! | [`call`] | what goes into its calls, and what comes out |
//! | [`redact`] | [`Redactor`]: what must not be stored or shown, masked |
//!
//! ```
//! use recharge_core::{Account, AccountKind, FaceValue, Money};
//!
//! let phone = Account::parse(AccountKind::Mobile, "18900001234")?;
//! assert_eq!(phone.to_string(), "189****1234", "Display never shows a full number");
//! assert_eq!(phone.as_str(), "18900001234");
//!
//! let price: Money = "1.060".parse()?;
//! assert_eq!(price.thousandths(), 1_060);
//! assert_eq!(price.to_string(), "1.06");
//! assert_eq!(FaceValue::from_yuan(1)?.yuan(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod account;
pub mod call;
pub mod carrier;
pub mod code;
pub mod id;
pub mod money;
pub mod outcome;
pub mod provider;
pub mod redact;
pub mod state;

pub use account::{Account, AccountKind, ParseAccountError};
pub use call::{
    CallError, CallErrorKind, Callback, CallbackError, Page, QueryRequest, Quote, SubmitRequest,
    UpstreamOrder,
};
pub use carrier::{Carrier, CarrierHint};
pub use code::{
    Code, CodeClass, CodeError, CodeOverrides, CodeTable, Confidence, QueryClass, SubmitClass,
};
pub use id::{AttemptNumber, MerchantId, OrderId, ParseIdError, ProviderId, UpstreamOrderId};
pub use money::{FaceValue, Money, ParseMoneyError};
pub use outcome::{
    Answer, Doubt, DoubtKind, NotSent, QueryOutcome, Receipt, Rejection, Sighting, SubmitOutcome,
    Unavailable, UnavailableKind, UpstreamState,
};
pub use provider::{Call, Capabilities, Offer, Provider, ProviderExt};
pub use redact::Redactor;
pub use secrecy::{ExposeSecret, SecretString};
pub use state::{MOVES, Move, OrderState, ReviewReason, Standing};
