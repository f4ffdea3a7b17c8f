//! The shop: clients that place orders all the time, and don't give up when nobody answers.
//!
//! A client sends the same order again until it is answered for: that is what the interface tells shops to do.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use md5::{Digest as _, Md5};
use serde_json::json;

use super::answers::Answers;
use crate::http::{self, Ask, Reply};
use crate::orders::Wanted;

/// How soon a client tries again.
const AGAIN: Duration = Duration::from_millis(5);

/// How soon a client without anything to do looks for something.
const LOOK: Duration = Duration::from_millis(4);

/// What a client is to do about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// Place it, perhaps again.
    Place(usize),
    /// Look it up, if it has been answered for.
    Look(usize),
    /// Place another one under its id, if it has been answered for.
    Clash(usize),
}

/// Who the shop is.
#[derive(Debug)]
pub(super) struct Keys {
    /// The key of the API.
    pub(super) api: String,
    /// The credential under Juhe's protocol.
    pub(super) app_key: String,
    pub(super) open_id: String,
}

#[derive(Debug, Default)]
struct Desk {
    waiting: VecDeque<Errand>,
    /// Errands that a client is about.
    under_way: usize,
    closed: bool,
}

/// The shop.
#[derive(Debug)]
pub(super) struct Shop<'a> {
    address: SocketAddr,
    keys: Keys,
    wanted: &'a [Wanted],
    desk: Mutex<Desk>,
    answers: Mutex<Answers>,
}

/// What an answer means to a client.
enum Said {
    /// It is done.
    Done,
    /// Nothing is known, or nothing was done: try again.
    Again,
    /// It must not be.
    Wrong(String),
}

impl<'a> Shop<'a> {
    pub(super) fn new(address: SocketAddr, keys: Keys, wanted: &'a [Wanted]) -> Self {
        Self {
            address,
            keys,
            wanted,
            desk: Mutex::default(),
            answers: Mutex::default(),
        }
    }

    /// Gives the clients something to do.
    pub(super) fn hand_in(&self, errands: impl IntoIterator<Item = Errand>) {
        self.desk().waiting.extend(errands);
    }

    /// Whether everything is done that was handed in.
    pub(super) fn is_idle(&self) -> bool {
        let desk = self.desk();
        desk.waiting.is_empty() && desk.under_way == 0
    }

    /// Sends the clients home, whatever is left to do.
    pub(super) fn close(&self) {
        self.desk().closed = true;
    }

    /// What was answered so far.
    pub(super) fn answers(&self) -> MutexGuard<'_, Answers> {
        // What a client found wrong before another one broke off still is.
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One client at work, until the shop is closed.
    pub(super) fn work(&self) {
        loop {
            let errand = {
                let mut desk = self.desk();
                if desk.closed {
                    return;
                }
                let errand = desk.waiting.pop_front();
                desk.under_way += usize::from(errand.is_some());
                errand
            };
            match errand {
                Some(errand) => {
                    self.carry_out(errand);
                    self.desk().under_way -= 1;
                }
                None => thread::sleep(LOOK),
            }
        }
    }

    fn carry_out(&self, errand: Errand) {
        let (Errand::Place(at) | Errand::Look(at) | Errand::Clash(at)) = errand;
        let Some(wanted) = self.wanted.get(at) else {
            return;
        };
        while !self.desk().closed {
            let before = self.answers().last(&wanted.order_id).map(|it| it.0);
            let said = match (errand, before) {
                (Errand::Place(_), _) if drops_in(at, wanted) => self.drop_in(wanted),
                (Errand::Place(_), _) => self.place(wanted, before),
                (Errand::Look(_), Some(_)) => self.look(wanted, before),
                (Errand::Clash(_), Some(_)) => self.clash(wanted),
                (Errand::Look(_) | Errand::Clash(_), None) => return,
            };
            match said {
                Ok(Said::Done) => return,
                Ok(Said::Again) => {}
                Ok(Said::Wrong(complaint)) => {
                    self.answers().complaints.push(complaint);
                    return;
                }
                // It doesn't run at this moment.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(_) => self.answers().broken += 1,
            }
            thread::sleep(AGAIN);
        }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> std::io::Result<Reply> {
        let ask = Ask {
            method,
            path,
            key: Some(&self.keys.api),
            kind: "application/json",
            body,
        };
        http::ask(self.address, ask)
    }

    fn place(&self, wanted: &Wanted, before: Option<u64>) -> std::io::Result<Said> {
        let reply = self.ask("POST", "/v1/orders", &order(wanted, wanted.yuan))?;
        Ok(match reply.status {
            status @ (200 | 202) => {
                let mut answers = self.answers();
                answers.took(&wanted.order_id, status == 202);
                answers.shown(wanted, &reply.json(), before);
                Said::Done
            }
            _ => refused("placed", wanted, &reply),
        })
    }

    /// Places it by Juhe's own protocol.
    fn drop_in(&self, wanted: &Wanted) -> std::io::Result<Said> {
        let Wanted {
            order_id,
            account,
            yuan,
            ..
        } = wanted;
        let Keys {
            app_key, open_id, ..
        } = &self.keys;
        let signed = format!("{open_id}{app_key}{account}{yuan}{order_id}");
        let sign = hex::encode(Md5::digest(signed));
        let ask = Ask {
            method: "POST",
            path: "/compat/juhe/ofpay/mobile/onlineorder",
            key: None,
            kind: "application/x-www-form-urlencoded",
            // None of these has anything to be escaped.
            body: &format!(
                "key={app_key}&phoneno={account}&cardnum={yuan}&orderid={order_id}&sign={sign}"
            ),
        };
        let reply = http::ask(self.address, ask)?;
        Ok(match reply.json()["error_code"].as_u64() {
            Some(code @ (0 | REPEATED)) => {
                self.answers().took(order_id, code == 0);
                Said::Done
            }
            Some(INTERNAL | MAINTENANCE) => Said::Again,
            _ => refused("placed", wanted, &reply),
        })
    }

    fn look(&self, wanted: &Wanted, before: Option<u64>) -> std::io::Result<Said> {
        let reply = self.show(&wanted.order_id)?;
        Ok(if reply.status == 200 {
            self.answers().shown(wanted, &reply.json(), before);
            Said::Done
        } else if reply.status == 404 {
            let how = "was answered for, and is not found";
            self.answers().lost(&wanted.order_id, how);
            Said::Done
        } else {
            refused("looked up", wanted, &reply)
        })
    }

    fn show(&self, order_id: &str) -> std::io::Result<Reply> {
        self.ask("GET", &format!("/v1/orders/{order_id}"), "")
    }

    fn clash(&self, wanted: &Wanted) -> std::io::Result<Said> {
        let reply = self.ask("POST", "/v1/orders", &order(wanted, wanted.yuan * 2))?;
        Ok(if reply.status == 409 {
            self.answers().clashes += 1;
            Said::Done
        } else {
            refused("clashed with", wanted, &reply)
        })
    }
}

/// Juhe's codes, as its documents have them: an order of that number is there; nobody knows; nothing was done.
const REPEATED: u64 = 208_516;
const INTERNAL: u64 = 10_014;
const MAINTENANCE: u64 = 10_020;

/// Whether the shop places it by the upstream's own protocol: a part of those that Juhe sells.
fn drops_in(at: usize, wanted: &Wanted) -> bool {
    wanted.kind == "mobile" && at.is_multiple_of(4)
}

/// The order as it is placed.
fn order(wanted: &Wanted, yuan: u32) -> String {
    let mut order = json!({
        "order_id": wanted.order_id, "kind": wanted.kind, "account": wanted.account,
        "amount": yuan.to_string(),
    });
    if !wanted.carrier.is_empty() {
        order["carrier"] = wanted.carrier.into();
    }
    order.to_string()
}

/// Only a service that is about to stop, or whose store is, may put a shop off.
fn refused(what: &str, wanted: &Wanted, reply: &Reply) -> Said {
    if reply.status == 503 {
        return Said::Again;
    }
    let (id, status, says) = (&wanted.order_id, reply.status, reply.json());
    Said::Wrong(format!("{id} was {what}, and answered {status}: {says}"))
}

/// Sends the clients home when dropped: a round that breaks off must not wait for them.
pub(super) struct Closing<'a, 'b>(pub(super) &'a Shop<'b>);

impl Drop for Closing<'_, '_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
