//! An upstream with its transport, for order numbers of any form that the upstream takes. The
//! [`Provider`] trait takes the engine's numbers only; requests and judgement are the adapters' own.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use recharge_core::{
    Account, AccountKind, Carrier, FaceValue, Page, Provider, QueryOutcome, SubmitOutcome,
};
use recharge_http::judge::Exchange;
use recharge_http::read::{self, AccountText, Loose};
use recharge_http::{ClientError, Transport};
use recharge_jisu::{JisuProvider, OrderKey, Product};
use recharge_juhe::JuheProvider;

use super::Name;
use crate::context::Context;
use crate::error::CliError;

/// An upstream, ready to be called.
#[derive(Debug)]
pub(super) struct Upstream {
    adapter: Adapter,
    transport: Arc<dyn Transport>,
}

#[derive(Debug)]
enum Adapter {
    Juhe(JuheProvider),
    Jisu(JisuProvider),
}

impl Upstream {
    pub(super) fn open(name: Name, context: &Context) -> Result<Self, CliError> {
        let config = context.config()?;
        let (adapter, transport) = match name {
            Name::Juhe => {
                let juhe = config.juhe()?;
                let transport = config.transport()?;
                let provider = JuheProvider::new(juhe, Arc::clone(&transport));
                (Adapter::Juhe(provider), transport)
            }
            Name::Jisu => {
                let jisu = config.jisu()?;
                let transport = config.transport()?;
                let provider = JisuProvider::new(jisu, Arc::clone(&transport));
                (Adapter::Jisu(provider), transport)
            }
        };
        Ok(Self { adapter, transport })
    }

    pub(super) fn provider(&self) -> &dyn Provider {
        match &self.adapter {
            Adapter::Juhe(provider) => provider,
            Adapter::Jisu(provider) => provider,
        }
    }

    /// The request of an order. What the upstream can't take is refused here, before anything is sent.
    pub(super) fn submit_request(
        &self,
        account: &Account,
        amount: FaceValue,
        carrier: Option<Carrier>,
        order_id: &str,
    ) -> Result<Request<Bytes>, CliError> {
        let request = match &self.adapter {
            Adapter::Juhe(juhe) => juhe.client().submit_request(account, amount, order_id),
            Adapter::Jisu(provider) => {
                let client = provider.client();
                match (Product::of(account.kind()), carrier) {
                    (Product::Mobile, _) => {
                        client.recharge_mobile_request(account, amount, order_id)
                    }
                    (Product::Landline, Some(carrier)) => {
                        client.recharge_landline_request(account, amount, carrier, order_id)
                    }
                    (Product::Landline, None) => Err(ClientError::Input(
                        "Jisu wants the carrier of a landline or broadband account: add --carrier unicom, telecom, tietong or mobile",
                    )),
                }
            }
        };
        request.map_err(|error| unusable(&error))
    }

    /// Sends an order, once.
    pub(super) async fn submit(
        &self,
        request: Request<Bytes>,
        order_id: &str,
        account: &Account,
        amount: FaceValue,
    ) -> SubmitOutcome {
        let exchange = self.transport.send(request).await;
        match &self.adapter {
            Adapter::Juhe(juhe) => juhe.read_submit(order_id, account, &exchange),
            Adapter::Jisu(provider) => provider.read_submit(order_id, account, amount, &exchange),
        }
    }

    /// Asks for an order. Where account or face value are not given, those that the answer names are
    /// taken for ours, so that only the number is compared.
    pub(super) async fn query(
        &self,
        order_id: &str,
        kind: AccountKind,
        account: Option<&Account>,
        amount: Option<FaceValue>,
    ) -> Result<QueryOutcome, CliError> {
        match &self.adapter {
            Adapter::Juhe(juhe) => {
                if kind != AccountKind::Mobile {
                    return Err(CliError::unusable(
                        "Juhe tops up mobile numbers only: leave --kind out",
                    ));
                }
                let request = juhe
                    .client()
                    .status_request(order_id)
                    .map_err(|error| unusable(&error))?;
                let exchange = self.transport.send(request).await;
                let account = match account {
                    Some(account) => account.clone(),
                    None => echo_of_juhe(&exchange, kind)?,
                };
                Ok(juhe.read_query(order_id, &account, &exchange))
            }
            Adapter::Jisu(provider) => {
                let order = OrderKey::Ours(order_id);
                let request = provider
                    .client()
                    .order_detail_request(Product::of(kind), order)
                    .map_err(|error| unusable(&error))?;
                let exchange = self.transport.send(request).await;
                let (named, named_amount) = echo_of_jisu(&exchange, kind)?;
                let account = account.cloned().unwrap_or(named);
                let amount = amount.unwrap_or(named_amount);
                Ok(provider.read_query(order_id, &account, amount, &exchange))
            }
        }
    }

    /// One page of the upstream's orders.
    pub(super) async fn orders(&self, kind: AccountKind, page: u32) -> Result<Page, CliError> {
        Ok(self.provider().list(kind, page).await?)
    }
}

fn unusable(error: &ClientError) -> CliError {
    CliError::unusable(error.to_string())
}

/// An account of that kind that stands for "none was named": nothing is compared with it.
fn nobody(kind: AccountKind) -> Result<Account, CliError> {
    let text = match kind {
        AccountKind::Mobile => "10000000000",
        AccountKind::Landline | AccountKind::Combined => "010-00000000",
        AccountKind::Broadband => "none",
    };
    Account::parse(kind, text).map_err(|error| CliError::unusable(error.to_string()))
}

fn named(echoes: &[&AccountText], kind: AccountKind) -> Result<Account, CliError> {
    match echoes.iter().find_map(|echo| echo.given()) {
        Some(echo) => Account::parse(kind, echo).map_err(|_| {
            CliError::unusable(
                "the answer names its account in a form that can't be read: ask again with --account and the right --kind",
            )
        }),
        None => nobody(kind),
    }
}

fn echo_of_juhe(exchange: &Exchange, kind: AccountKind) -> Result<Account, CliError> {
    use recharge_juhe::wire::{Envelope, Order};
    match body::<Envelope<Order>>(exchange).map(|envelope| envelope.result) {
        Some(Loose::Object(order)) => named(&[&order.game_userid], kind),
        Some(_) | None => nobody(kind),
    }
}

fn echo_of_jisu(exchange: &Exchange, kind: AccountKind) -> Result<(Account, FaceValue), CliError> {
    use recharge_jisu::wire::{Envelope, Order};
    let one = FaceValue::from_yuan(1).map_err(|error| CliError::unusable(error.to_string()))?;
    match body::<Envelope<Order>>(exchange).map(|envelope| envelope.result) {
        Some(Loose::Object(order)) => {
            let account = named(&[&order.tel, &order.mobile, &order.account], kind)?;
            Ok((account, order.amount.as_str().parse().unwrap_or(one)))
        }
        Some(_) | None => Ok((nobody(kind)?, one)),
    }
}

/// The answer as it is written; `None` where there is none that can be read, which the adapter's own
/// judgement then says.
fn body<T: serde::de::DeserializeOwned>(exchange: &Exchange) -> Option<T> {
    let response = exchange.as_ref().ok()?;
    read::read(response.body()).ok()
}
