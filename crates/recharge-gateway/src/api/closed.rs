//! The closed sets of words, for the description: each is made of the Rust type whose names they are.

use recharge_core::{AccountKind, Carrier, OrderState, ReviewReason};
use recharge_engine::Cause;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::Code;

macro_rules! closed {
    ($($(#[$doc:meta])* $name:ident: $all:expr, $as_str:path;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some($all.map($as_str)))
                    .into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

closed! {
    /// Where an order stands.
    StateName: OrderState::EACH, OrderState::as_str;
    /// Why an order is on a person's desk.
    ReasonName: ReviewReason::ALL, ReviewReason::as_str;
    /// What is topped up.
    KindName: AccountKind::ALL, AccountKind::as_str;
    /// Who runs a line.
    CarrierName: Carrier::ALL, Carrier::as_str;
    /// Why an order has moved.
    CauseName: Cause::ALL, Cause::as_str;
    /// What is wrong.
    CodeName: Code::ALL, Code::as_str;
}
