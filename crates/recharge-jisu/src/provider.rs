//! Jisu as a [`Provider`]: each call as evidence about an order.

use std::sync::Arc;

use async_trait::async_trait;
use recharge_core::{
    Account, AccountKind, Call, CallError, CallErrorKind, Callback, CallbackError, Capabilities,
    Carrier, CarrierHint, FaceValue, NotSent, Offer, Page, Provider, ProviderId, QueryOutcome,
    QueryRequest, Quote, SubmitOutcome, SubmitRequest, Unavailable, UnavailableKind, UpstreamOrder,
};
use recharge_http::judge::{Exchange, Judge, NotSeen, Seen, Told, lacks, names, upstream_id};
use recharge_http::read::Loose;
use recharge_http::{ClientError, SendBefore, Transport};

use crate::wire::{Envelope, Good, ListEnvelope, Order};
use crate::{JisuClient, JisuConfig, OrderKey, Product, callback};

/// Orders to a page of [`Provider::list`]: Jisu's most.
const PAGE_SIZE: u32 = 40;

/// Jisu landline, broadband and mobile recharge, as the engine sees it.
#[derive(Debug, Clone)]
pub struct JisuProvider {
    client: JisuClient,
    judge: Judge,
    id: ProviderId,
    capabilities: Capabilities,
}

impl JisuProvider {
    /// The provider's name: `jisu`.
    pub const ID: &str = "jisu";

    /// Jisu with that account over that transport.
    #[expect(
        clippy::missing_panics_doc,
        clippy::expect_used,
        reason = "the name is a constant of the right form, which a test checks"
    )]
    pub fn new(config: JisuConfig, transport: Arc<dyn Transport>) -> Self {
        let landline = |kind| {
            let mut offer = Offer::new(kind, config.landline_face_values.clone());
            offer.carriers = vec![
                Carrier::Unicom,
                Carrier::Telecom,
                Carrier::Tietong,
                Carrier::Mobile,
            ];
            offer
        };
        let offers = vec![
            Offer::new(AccountKind::Mobile, config.mobile_face_values.clone()),
            landline(AccountKind::Landline),
            landline(AccountKind::Broadband),
            landline(AccountKind::Combined),
        ];
        let calls = vec![
            Call::Submit,
            Call::Query,
            Call::Quote,
            Call::List,
            Call::Callback,
        ];
        let mut capabilities = Capabilities::new(offers, calls);
        capabilities.refuses_duplicates = true;
        capabilities.callback_covers_state = true;
        Self {
            judge: Judge::new(config.codes(), config.redactor()),
            client: JisuClient::new(config, transport),
            id: ProviderId::parse(Self::ID).expect("a name of the right form"),
            capabilities,
        }
    }

    /// The typed calls of the same account.
    pub const fn client(&self) -> &JisuClient {
        &self.client
    }

    /// What the answer to a recharge of `number` tells. Pure: [`Provider::submit`] is this after
    /// sending.
    ///
    /// An answer that was understood counts as accepted only when it shows this order: what it names of
    /// number, account and face value must be ours, and it must name the number or the account. An empty
    /// `outorderno` is allowed (S). An account that is masked must agree in what is shown.
    pub fn read_submit(
        &self,
        number: &str,
        account: &Account,
        amount: FaceValue,
        exchange: &Exchange,
    ) -> SubmitOutcome {
        self.judge
            .submit(exchange, account, |envelope: &Envelope<Order>| {
                let order = shown(envelope)?;
                let accounts = [&order.tel, &order.mobile, &order.account];
                if order.outorderno.is_empty() && accounts.iter().all(|echo| echo.is_empty()) {
                    return Err(NotSeen::Echo("the answer names neither number nor account"));
                }
                seen(order, number, account, amount)
            })
    }

    /// What the order detail of `number` tells. Pure: [`Provider::query`] is this after sending.
    ///
    /// No document names a code for "no such order". An answer that was understood and has an empty
    /// result is read so (L), and so is a code that configuration calls `not-found`.
    pub fn read_query(
        &self,
        number: &str,
        account: &Account,
        amount: FaceValue,
        exchange: &Exchange,
    ) -> QueryOutcome {
        self.judge
            .query(exchange, account, |envelope: &Envelope<Order>| {
                seen(shown(envelope)?, number, account, amount)
            })
    }

    fn listed(&self, order: &Order) -> UpstreamOrder {
        let mut listed = UpstreamOrder::new(self.judge.listed_number(&order.outorderno));
        listed.upstream_order_id = self.judge.listed_id(&order.orderno);
        listed.state = order.state();
        listed.cost = order.cost();
        listed
    }
}

fn shown(envelope: &Envelope<Order>) -> Result<&Order, NotSeen> {
    match &envelope.result {
        Loose::Object(order) => Ok(order),
        Loose::Empty => Err(NotSeen::NoSuchOrder),
        Loose::Missing | Loose::Other => Err(NotSeen::Unreadable("the answer shows no order")),
    }
}

fn seen(
    order: &Order,
    number: &str,
    account: &Account,
    amount: FaceValue,
) -> Result<Seen, NotSeen> {
    if order.outorderno.given().is_some_and(|echo| echo != number) {
        return Err(NotSeen::Echo("the answer names another order number"));
    }
    let mut accounts = [&order.tel, &order.mobile, &order.account].into_iter();
    if accounts.any(|echo| echo.given().is_some_and(|echo| !names(account, echo))) {
        return Err(NotSeen::Echo("the answer names another account"));
    }
    if order
        .amount
        .given()
        .is_some_and(|echo| echo.parse() != Ok(amount))
    {
        return Err(NotSeen::Echo("the answer names another face value"));
    }
    Ok(Seen {
        state: order.state().ok_or(NotSeen::Unreadable(
            "the answer has a rechargestatus that is not listed",
        ))?,
        upstream_order_id: upstream_id(&order.orderno)?,
        cost: order.cost(),
    })
}

#[async_trait]
impl Provider for JisuProvider {
    fn id(&self) -> &ProviderId {
        &self.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn submit(&self, request: &SubmitRequest) -> SubmitOutcome {
        let (number, account) = (request.number.as_str(), &request.account);
        let amount = request.amount;
        let http = match (Product::of(account.kind()), request.carrier) {
            (Product::Mobile, _) => self.client.recharge_mobile_request(account, amount, number),
            (Product::Landline, Some(carrier)) => {
                let client = &self.client;
                client.recharge_landline_request(account, amount, carrier, number)
            }
            (Product::Landline, None) => Err(ClientError::Input(
                "a landline or broadband account needs its carrier: name unicom, telecom, tietong or mobile",
            )),
        };
        let mut http = match http {
            Ok(http) => http,
            Err(error) => return SubmitOutcome::NotSent(NotSent::new(error.to_string())),
        };
        if let Some(moment) = request.send_before {
            http.extensions_mut().insert(SendBefore(moment));
        }
        let exchange = self.client.send(http).await;
        self.read_submit(number, account, amount, &exchange)
    }

    async fn query(&self, request: &QueryRequest) -> QueryOutcome {
        let (number, account) = (request.number.as_str(), &request.account);
        let product = Product::of(account.kind());
        match self
            .client
            .order_detail_request(product, OrderKey::Ours(number))
        {
            Ok(http) => {
                let exchange = self.client.send(http).await;
                self.read_query(number, account, request.amount, &exchange)
            }
            Err(error) => QueryOutcome::Unavailable(Unavailable::new(
                UnavailableKind::Transport,
                error.to_string(),
            )),
        }
    }

    /// Looks the face value up in the list of goods. Where it has several prices that the account's
    /// carrier doesn't tell apart, there is no quote: none is guessed.
    async fn quote(&self, account: &Account, amount: FaceValue) -> Result<Quote, CallError> {
        let product = Product::of(account.kind());
        let http = self.client.goods_request(product).map_err(|error| {
            // Nothing of the account is wrong: without a path this product has no such call.
            CallError::new(CallErrorKind::Unsupported, error.to_string())
        })?;
        let exchange = self.client.send(http).await;
        let told = self
            .judge
            .call::<ListEnvelope<Good>>(&exchange, Some(account))?;
        let (envelope, answer) = told.understood()?;
        let Some(goods) = envelope.result.list else {
            return Err(lacks("the answer has no list of goods", answer));
        };
        let of_value = |good: &&Good| good.amount.as_str().parse() == Ok(amount);
        let mut goods: Vec<&Good> = goods.iter().filter(of_value).collect();
        // A broadband account may look like a mobile number, and then says nothing of its carrier.
        let hint = match account.kind() {
            AccountKind::Mobile => CarrierHint::for_mobile(account.as_str()),
            AccountKind::Landline | AccountKind::Broadband | AccountKind::Combined => None,
        };
        if let Some(hint) = hint {
            let carrier = hint.carrier.chinese();
            let of_carrier = |good: &&Good| {
                good.company.as_str().contains(carrier) || good.name.as_str().contains(carrier)
            };
            if goods.iter().any(of_carrier) {
                goods.retain(of_carrier);
            }
        }
        let refused = |detail: &str| CallError::new(CallErrorKind::Refused, detail);
        let Some(good) = goods.first() else {
            return Err(refused("this face value is not in the list of goods").with_answer(answer));
        };
        let Some(price) = good.price.money() else {
            return Err(lacks(
                "the list of goods has a price that can't be read",
                answer,
            ));
        };
        if goods.iter().any(|other| other.price.money() != Some(price)) {
            let detail = "this face value has several prices in the list of goods: read the list";
            return Err(refused(detail).with_answer(answer));
        }
        let mut quote = Quote::new(price, self.judge.mask(account, good.name.as_str()));
        let region = good.company.given();
        quote.region = region.map(|company| self.judge.mask(account, company));
        Ok(quote)
    }

    async fn list(&self, kind: AccountKind, page: u32) -> Result<Page, CallError> {
        let http = self
            .client
            .order_list_request(Product::of(kind), page, PAGE_SIZE);
        let exchange = self.client.send(http?).await;
        let (envelope, answer) = match self.judge.call::<ListEnvelope<Order>>(&exchange, None)? {
            Told::NotFound(_) => return Ok(Page::new(Vec::new(), false)),
            told => told.understood()?,
        };
        let Some(rows) = envelope.result.list else {
            return Err(lacks("the answer has no list of orders", answer));
        };
        let more = match envelope.result.total.count() {
            Some(total) => page.saturating_mul(PAGE_SIZE) < total,
            None => rows.len() >= PAGE_SIZE as usize,
        };
        Ok(Page::new(
            rows.iter().map(|row| self.listed(row)).collect(),
            more,
        ))
    }

    fn parse_callback(
        &self,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Callback, CallbackError> {
        callback::read(&self.client.config().app_secret, content_type, body)
    }
}
