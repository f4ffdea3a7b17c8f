//! Jisu's codes, as far as they are answered here (S).

use axum::response::Response;
use serde::Serialize;

use crate::compat::envelope;

/// A code, with its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(u32, &'static str);

#[derive(Serialize)]
struct Refusal {
    status: u32,
    msg: &'static str,
    result: &'static str,
}

/// Each says of a first recharge "not accepted", but for those that say otherwise.
impl Code {
    pub(super) const BAD_KEY: Self = Self(101, "APPKEY为空或不存在");
    pub(super) const OVER_QUOTA: Self = Self(104, "请求超过次数限制");
    pub(super) const MAINTENANCE: Self = Self(107, "接口维护中");
    pub(super) const NO_ACCOUNT: Self = Self(201, "号码为空");
    pub(super) const NO_AMOUNT: Self = Self(202, "充值金额为空");
    pub(super) const BAD_AMOUNT: Self = Self(203, "充值金额错误");
    pub(super) const BAD_ACCOUNT: Self = Self(204, "号码错误");
    pub(super) const NO_SIGN: Self = Self(205, "签名为空");
    pub(super) const BAD_SIGN: Self = Self(206, "签名错误");
    pub(super) const NOT_SUPPORTED: Self = Self(208, "不支持该号码");
    /// Of a question: neither number is named.
    pub(super) const NO_NUMBER: Self = Self(209, "订单号为空");
    /// In doubt: ask for the order.
    pub(super) const UNKNOWN: Self = Self(210, "未知错误");
    pub(super) const NO_ORDER_ID: Self = Self(211, "商户订单号为空");
    /// An order of that number exists: ask for its state.
    pub(super) const REPEATED: Self = Self(212, "商户订单号已存在");

    /// The answer that says so.
    pub(super) fn answer(self) -> Response {
        envelope(&Refusal {
            status: self.0,
            msg: self.1,
            result: "",
        })
    }
}
