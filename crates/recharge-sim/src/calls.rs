//! Queries and reads in the [`World`]. Submits are in `submit.rs`; how answers are spoilt on their way
//! is in `spoil.rs`.

use crate::config::Upstream;
use crate::faults::FaultKind as K;
use crate::message::Reply;
use crate::order::Wanted;
use crate::routes::Call;
use crate::spoil::Outcome;
use crate::world::{Incoming, World};
use crate::{jisu, jisu_answers, juhe};

/// How often a query may hide an order that was taken.
const HIDDEN_AT_MOST: u32 = 3;

impl World {
    /// Asks for the state of one order.
    pub(crate) fn query(&mut self, mut incoming: Incoming<'_>) -> Outcome {
        let upstream = incoming.call.upstream();
        let key_right = match upstream {
            Upstream::Juhe => juhe::check_key(&self.config.credentials, incoming.fields),
            Upstream::Jisu => jisu::check_key(&self.config.credentials, incoming.fields),
        };
        if let Err(answer) = key_right {
            return self.spoil(incoming, answer);
        }
        let key = (upstream, incoming.order_id.clone());
        let unnamed = incoming.order_id.is_empty() && incoming.fields.get("orderno").is_empty();
        let none = match upstream {
            Upstream::Juhe => juhe::no_such_order(&incoming.order_id),
            Upstream::Jisu if unnamed => jisu::error(209),
            Upstream::Jisu => jisu_answers::no_such_order(&self.config),
        };
        let found = self
            .order(&key)
            .filter(|order| is_asked_for(&incoming, &order.wanted, &order.upstream_id))
            .map(|order| match upstream {
                Upstream::Juhe => juhe::status(order),
                Upstream::Jisu => jisu_answers::orderdetail(order),
            });
        let (Some(answer), Some(record)) = (found, self.records.get_mut(&key)) else {
            // There is nothing to hide or to show wrongly.
            incoming.fault = incoming
                .fault
                .filter(|kind| !matches!(kind, K::NotFound | K::UnlistedState | K::WrongEcho));
            return self.spoil(incoming, none);
        };
        if incoming.fault == Some(K::NotFound) {
            if record.shown || record.hidden >= HIDDEN_AT_MOST {
                incoming.fault = None;
            } else {
                record.hidden += 1;
                return Outcome::hit(K::NotFound, &none, Reply::json(none.body.clone()));
            }
        }
        let concealed = matches!(
            incoming.fault,
            Some(
                K::ServerError
                    | K::Html
                    | K::AnswerLost
                    | K::TimeoutBefore
                    | K::Reset
                    | K::SystemError
                    | K::UnlistedCode
                    | K::RateLimited
            )
        );
        record.shown |= !concealed;
        self.spoil(incoming, answer)
    }

    /// Every other call.
    pub(crate) fn read(&mut self, incoming: Incoming<'_>) -> Outcome {
        let (config, fields) = (&self.config, incoming.fields);
        let credentials = &config.credentials;
        let key_right = match incoming.call.upstream() {
            Upstream::Juhe => juhe::check_key(credentials, fields),
            Upstream::Jisu => jisu::check_key(credentials, fields),
        };
        let answer = match (key_right, incoming.call) {
            (Err(answer), _) => answer,
            (Ok(()), Call::JuheTelcheck) => juhe::telcheck(config, fields),
            (Ok(()), Call::JuheTelquery) => juhe::telquery(config, fields),
            (Ok(()), Call::JuheYue) => juhe::yue(credentials, fields, self.balance(Upstream::Juhe)),
            (Ok(()), Call::JisuOrderlist(line)) => jisu_answers::orderlist(
                fields,
                self.newest_first(Upstream::Jisu)
                    .filter(|order| jisu::is_of(line, order.wanted.product)),
            ),
            (Ok(()), Call::JisuGoods(line)) => jisu_answers::goods(config, line),
            (
                Ok(()),
                // The last four are no reads and don't come here.
                Call::JuheOrderlist
                | Call::JuheSubmit
                | Call::JuheStatus
                | Call::JisuRecharge(_)
                | Call::JisuOrderdetail(_),
            ) => juhe::orderlist(fields, self.newest_first(Upstream::Juhe)),
        };
        self.spoil(incoming, answer)
    }
}

/// Whether the order is of the product that the path belongs to, and has both numbers that were sent.
fn is_asked_for(incoming: &Incoming<'_>, wanted: &Wanted, upstream_id: &str) -> bool {
    let Call::JisuOrderdetail(line) = incoming.call else {
        return true;
    };
    let given = incoming.fields.get("orderno");
    jisu::is_of(line, wanted.product) && (given.is_empty() || given == upstream_id)
}
