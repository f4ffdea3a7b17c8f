//! Requests as a client would make them.

use std::time::Duration;

use recharge_sim::{
    DEFAULT_JISU_APPKEY, DEFAULT_JISU_APPSECRET, DEFAULT_JUHE_KEY, DEFAULT_JUHE_OPENID, FaultKind,
    FaultPlan, Reply, Request, Script, World, WorldConfig, md5,
};
use serde_json::Value;

pub(crate) const PHONE: &str = "18900001234";
pub(crate) const SUBMIT: &str = "/ofpay/mobile/onlineorder";
pub(crate) const LINE: &str = "0571-56565366";

pub(crate) fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) fn json(reply: &Reply) -> Value {
    assert_eq!(reply.content_type, "application/json;charset=utf-8");
    serde_json::from_slice(&reply.body).expect("the reply is JSON")
}

pub(crate) fn juhe_body(phone: &str, cardnum: &str, order_id: &str) -> String {
    let sign = md5::hex(&[
        DEFAULT_JUHE_OPENID,
        DEFAULT_JUHE_KEY,
        phone,
        cardnum,
        order_id,
    ]);
    format!(
        "key={DEFAULT_JUHE_KEY}&phoneno={phone}&cardnum={cardnum}&orderid={order_id}&sign={sign}"
    )
}

pub(crate) fn juhe_submit_raw(world: &mut World, now: Duration, order_id: &str) -> Reply {
    world.handle(
        now,
        &Request::post(SUBMIT, &juhe_body(PHONE, "10", order_id)),
    )
}

pub(crate) fn juhe_submit(world: &mut World, now: Duration, order_id: &str) -> Value {
    json(&juhe_submit_raw(world, now, order_id))
}

pub(crate) fn juhe_status_raw(world: &mut World, now: Duration, order_id: &str) -> Reply {
    let target = format!("/ofpay/mobile/ordersta?key={DEFAULT_JUHE_KEY}&orderid={order_id}");
    world.handle(now, &Request::get(&target))
}

pub(crate) fn juhe_status(world: &mut World, now: Duration, order_id: &str) -> Value {
    json(&juhe_status_raw(world, now, order_id))
}

/// `game_state`, or the code if there is none.
pub(crate) fn juhe_state(world: &mut World, now: Duration, order_id: &str) -> String {
    let answer = juhe_status(world, now, order_id);
    match answer["result"]["game_state"].as_str() {
        Some(state) => state.to_owned(),
        None => answer["error_code"].to_string(),
    }
}

pub(crate) struct Landline<'a> {
    pub(crate) tel: &'a str,
    pub(crate) amount: &'a str,
    pub(crate) teltype: &'a str,
    pub(crate) rechargetype: &'a str,
    pub(crate) outorderno: &'a str,
}

impl Default for Landline<'_> {
    fn default() -> Self {
        Self {
            tel: LINE,
            amount: "100",
            teltype: "1",
            rechargetype: "1",
            outorderno: "T0000000001",
        }
    }
}

impl<'a> Landline<'a> {
    pub(crate) fn with(mut self, name: &str, value: &'a str) -> Self {
        let field = match name {
            "tel" => &mut self.tel,
            "amount" => &mut self.amount,
            "teltype" => &mut self.teltype,
            "rechargetype" => &mut self.rechargetype,
            "outorderno" => &mut self.outorderno,
            other => panic!("no field is called {other}"),
        };
        *field = value;
        self
    }

    pub(crate) fn sorted_sign(&self) -> String {
        md5::hex(&[
            self.amount,
            self.outorderno,
            self.rechargetype,
            self.tel,
            self.teltype,
            DEFAULT_JISU_APPSECRET,
        ])
    }

    pub(crate) fn table_sign(&self) -> String {
        md5::hex(&[
            self.amount,
            self.tel,
            self.outorderno,
            self.rechargetype,
            self.teltype,
            DEFAULT_JISU_APPSECRET,
        ])
    }

    pub(crate) fn target(&self, sign: &str) -> String {
        format!(
            "/telrecharge/recharge?appkey={DEFAULT_JISU_APPKEY}&tel={}&amount={}&teltype={}\
             &rechargetype={}&outorderno={}&sign={sign}",
            self.tel, self.amount, self.teltype, self.rechargetype, self.outorderno
        )
    }

    pub(crate) fn submit(&self, world: &mut World, now: Duration) -> Value {
        let request = Request::get(&self.target(&self.sorted_sign()));
        json(&world.handle(now, &request))
    }
}

pub(crate) fn jisu_mobile_target(mobile: &str, amount: &str, order: &str) -> String {
    let sign = md5::hex(&[amount, mobile, order, DEFAULT_JISU_APPSECRET]);
    format!(
        "/mobilerecharge/recharge?appkey={DEFAULT_JISU_APPKEY}&mobile={mobile}&amount={amount}\
         &outorderno={order}&sign={sign}"
    )
}

pub(crate) fn jisu_mobile(world: &mut World, now: Duration, order: &str) -> Value {
    let request = Request::get(&jisu_mobile_target(PHONE, "10", order));
    json(&world.handle(now, &request))
}

pub(crate) fn jisu_get(world: &mut World, now: Duration, path: &str, query: &str) -> Value {
    let target = format!("{path}?appkey={DEFAULT_JISU_APPKEY}&{query}");
    json(&world.handle(now, &Request::get(&target)))
}

/// A world in which the first calls about `order_id` meet these faults.
pub(crate) fn scripted(order_id: &str, submit: &[FaultKind], query: &[FaultKind]) -> World {
    let mut faults = FaultPlan::off();
    let some = |kinds: &[FaultKind]| kinds.iter().copied().map(Some).collect();
    faults
        .add_script(Script {
            order_id: Some(order_id.to_owned()),
            submit: some(submit),
            query: some(query),
            ..Script::default()
        })
        .expect("the script fits");
    World::new(WorldConfig {
        faults,
        ..WorldConfig::default()
    })
}
