//! Adapter for Juhe (聚合数据) mobile recharge.
//!
//! Two ways in. [`JuheProvider`] is what the engine uses: it implements
//! [`Provider`](recharge_core::Provider) and judges every answer by the code table, so that nothing
//! that may have been charged is called failed. [`JuheClient`] mirrors the wire, one typed call per
//! path, for who wants to see what Juhe said.
//!
//! | module | what it holds |
//! |---|---|
//! | [`config`] | [`JuheConfig`]: keys, address, encoding, face values, changed codes |
//! | [`client`] | [`JuheClient`]: submit, status, telcheck, telquery, balance, order list |
//! | [`provider`] | [`JuheProvider`]: the same calls as evidence about an order |
//! | [`wire`] | the exact JSON shapes, number-or-string alike |
//! | [`codes`] | [`CODES`]: what each code proves |
//! | [`callback`] | reading and verifying a callback |
//!
//! ```
//! use std::sync::Arc;
//! use recharge_core::{
//!     Account, AccountKind, AttemptNumber, FaceValue, Provider, SubmitOutcome, SubmitRequest,
//! };
//! use recharge_http::fake::{Reply, ScriptedTransport};
//! use recharge_juhe::{JuheConfig, JuheProvider};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let config = JuheConfig::new("my-app-key".into(), "my-open-id".into())?;
//! let transport = ScriptedTransport::new([Reply::text(200, r#"{
//!     "reason": "订单提交成功,等待充值",
//!     "result": {
//!         "cardid": 10423, "cardnum": 1, "ordercash": 1.06, "cardname": "江苏电信话费1元",
//!         "sporder_id": "J201125162114667", "uorderid": "RAAAAAAAAAAAAAAAAAAAAAAAAAA",
//!         "game_userid": "18900001234", "game_state": 0
//!     },
//!     "error_code": 0
//! }"#)]);
//! let juhe = JuheProvider::new(config, Arc::new(transport));
//!
//! let order = SubmitRequest::new(
//!     AttemptNumber::parse("RAAAAAAAAAAAAAAAAAAAAAAAAAA")?,
//!     Account::parse(AccountKind::Mobile, "18900001234")?,
//!     FaceValue::from_yuan(1)?,
//! );
//! match juhe.submit(&order).await {
//!     SubmitOutcome::Accepted(receipt) => assert_eq!(receipt.cost.unwrap().to_string(), "1.06"),
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

pub use client::{JuheClient, OrderListQuery};
pub use codes::CODES;
pub use config::{ConfigError, Environment, JuheConfig};
pub use provider::JuheProvider;
pub use recharge_http::form::Encoding;
