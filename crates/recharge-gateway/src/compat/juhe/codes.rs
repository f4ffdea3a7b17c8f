//! Juhe's codes, as far as they are answered here. Reasons that the documents give are given exactly; the
//! others are worded as the simulator has them.

use axum::response::Response;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::compat::envelope;

/// A code, with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(u32, &'static str);

#[derive(Serialize)]
struct Refusal<'a> {
    reason: &'static str,
    result: &'a RawValue,
    error_code: u32,
}

/// Each says of a first submit "not accepted", but for those that say otherwise.
impl Code {
    pub(super) const BAD_KEY: Self = Self(10_001, "错误的请求KEY");
    pub(super) const OVER_QUOTA: Self = Self(10_012, "请求超过次数限制");
    /// In doubt: ask for the order, or ask a person. Never to be taken as failed (S).
    pub(super) const INTERNAL: Self = Self(
        10_014,
        "系统内部异常(调用充值类业务时,请务必联系客服或通过订单查询接口核对订单,避免造成损失)",
    );
    pub(super) const MAINTENANCE: Self = Self(10_020, "接口维护");
    pub(super) const NOT_ALLOWED: Self = Self(208_501, "不允许充值的手机号码及金额");
    const AREA_MAINTENANCE: Self = Self(208_503, "运营商地区维护,暂不能充值");
    pub(super) const BAD_PHONE: Self = Self(208_505, "错误的手机号码");
    pub(super) const BAD_AMOUNT: Self = Self(208_506, "错误的充值金额");
    /// Of a question: there can be no order of that number.
    pub(super) const WRONG_ORDER_ID: Self = Self(208_509, "错误的订单号");
    /// Of a question: there is no order of that number.
    pub(super) const NOT_FOUND: Self = Self(208_513, "查询订单失败");
    pub(super) const BAD_ORDER_ID: Self = Self(208_514, "订单号必须是8-32位的字母或数字");
    pub(super) const BAD_SIGN: Self = Self(208_515, "校验值sign错误");
    /// An order of that number exists: ask for its state. Never to be taken as failed (S).
    pub(super) const REPEATED: Self = Self(208_516, "重复的订单号");

    /// What is told of a number and an amount that an upstream refuses with this code.
    pub(super) fn of_goods(code: &str) -> Self {
        let known = [Self::AREA_MAINTENANCE, Self::BAD_PHONE, Self::BAD_AMOUNT];
        let mut known = known.into_iter();
        known
            .find(|it| it.0.to_string() == code)
            .unwrap_or(Self::NOT_ALLOWED)
    }

    /// The answer that says so.
    pub(super) fn answer(self) -> Response {
        envelope(&Refusal {
            reason: self.1,
            result: RawValue::NULL,
            error_code: self.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_upstreams_codes_only_those_about_the_goods_are_passed_on() {
        assert_eq!(Code::of_goods("208503"), Code::AREA_MAINTENANCE);
        assert_eq!(Code::of_goods("208506"), Code::BAD_AMOUNT);
        for other in ["", "208501", "208517", "10001", "0", "203"] {
            assert_eq!(Code::of_goods(other), Code::NOT_ALLOWED, "{other}");
        }
    }
}
