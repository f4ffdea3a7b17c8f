//! Adapter for Jisu (极速数据) landline, broadband and mobile recharge.
//!
//! Two ways in. [`JisuProvider`] is what the engine uses: it implements
//! [`Provider`](recharge_core::Provider) and judges every answer by the code table, so that nothing
//! that may have been charged is called failed. [`JisuClient`] mirrors the wire, one typed call per
//! path, for who wants to see what Jisu said.
//!
//! | module | what it holds |
//! |---|---|
//! | [`config`] | [`JisuConfig`]: keys, address, method, signature order, face values, changed codes |
//! | [`client`] | [`JisuClient`]: both recharges, order detail, order list, goods |
//! | [`provider`] | [`JisuProvider`]: the same calls as evidence about an order |
//! | [`wire`] | the exact JSON shapes, number-or-string alike |
//! | [`codes`] | [`CODES`]: what each code proves |
//! | [`callback`] | reading and verifying a callback |
//!
//! Jisu sells two products with one envelope and one signature scheme: `telrecharge` for landlines,
//! broadband and both on one bill, and `mobilerecharge`. Which is meant follows from the kind of the
//! account. The vendor's page marks `telrecharge` as withdrawn (H); it is served to the letter.
//!
//! ```
//! use std::sync::Arc;
//! use recharge_core::{
//!     Account, AccountKind, AttemptNumber, Carrier, FaceValue, Provider, SubmitOutcome,
//!     SubmitRequest,
//! };
//! use recharge_http::fake::{Reply, ScriptedTransport};
//! use recharge_jisu::{JisuConfig, JisuProvider};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let config = JisuConfig::new("my-app-key".into(), "my-app-secret".into())?;
//! let transport = ScriptedTransport::new([Reply::text(200, r#"{
//!     "status": "0", "msg": "ok",
//!     "result": {
//!         "tel": "0571-56565366", "amount": "100", "outorderno": "",
//!         "orderno": "201604280717555074534", "totalfee": "99.65",
//!         "teltype": "1", "rechargetype": "1", "rechargestatus": "0"
//!     }
//! }"#)]);
//! let jisu = JisuProvider::new(config, Arc::new(transport));
//!
//! let mut order = SubmitRequest::new(
//!     AttemptNumber::parse("RAAAAAAAAAAAAAAAAAAAAAAAAAA")?,
//!     Account::parse(AccountKind::Landline, "0571-56565366")?,
//!     FaceValue::from_yuan(100)?,
//! );
//! order.carrier = Some(Carrier::Unicom);
//! match jisu.submit(&order).await {
//!     SubmitOutcome::Accepted(receipt) => assert_eq!(receipt.cost.unwrap().to_string(), "99.65"),
//!     SubmitOutcome::Rejected(why) => panic!("{}", why.answer.message),
//!     SubmitOutcome::NotSent(why) => panic!("{}", why.reason),
//!     SubmitOutcome::Unknown(doubt) => panic!("ask, never send again: {}", doubt.detail),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod callback;
pub mod client;
pub mod codes;
pub mod config;
pub mod provider;
pub mod wire;

pub use client::{JisuClient, OrderKey};
pub use codes::CODES;
pub use config::{ConfigError, JisuConfig, Method, Product};
pub use provider::JisuProvider;
pub use recharge_sign::jisu::SignOrder;
