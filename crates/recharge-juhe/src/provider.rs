//! Juhe as a [`Provider`]: each call as evidence about an order.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use recharge_core::{
    Account, AccountKind, Answer, Call, CallError, CallErrorKind, Callback, CallbackError,
    Capabilities, FaceValue, Money, NotSent, Offer, Page, Provider, ProviderId, QueryOutcome,
    QueryRequest, Quote, SubmitOutcome, SubmitRequest, Unavailable, UnavailableKind, UpstreamOrder,
};
use recharge_http::judge::{Exchange, Judge, NotSeen, Seen, Told, lacks, names, upstream_id};
use recharge_http::read::Loose;
use recharge_http::{SendBefore, Transport};

use crate::wire::{Balance, Envelope, Order, OrderList, Product};
use crate::{JuheClient, JuheConfig, OrderListQuery, callback};

/// Orders to a page of [`Provider::list`]: Juhe's own default.
const PAGE_SIZE: u32 = 50;

/// Juhe mobile recharge, as the engine sees it.
#[derive(Debug, Clone)]
pub struct JuheProvider {
    client: JuheClient,
    judge: Judge,
    id: ProviderId,
    capabilities: Capabilities,
}

impl JuheProvider {
    /// The provider's name: `juhe`.
    pub const ID: &str = "juhe";

    /// Juhe with that account over that transport.
    #[expect(
        clippy::missing_panics_doc,
        clippy::expect_used,
        reason = "the name is a constant of the right form, which a test checks"
    )]
    pub fn new(config: JuheConfig, transport: Arc<dyn Transport>) -> Self {
        let offer = Offer::new(AccountKind::Mobile, config.face_values.clone());
        let mut capabilities = Capabilities::new(vec![offer], Call::ALL.to_vec());
        capabilities.refuses_duplicates = true;
        capabilities.callback_covers_state = false;
        Self {
            judge: Judge::new(config.codes(), config.redactor()),
            client: JuheClient::new(config, transport),
            id: ProviderId::parse(Self::ID).expect("a name of the right form"),
            capabilities,
        }
    }

    /// The typed calls of the same account.
    pub const fn client(&self) -> &JuheClient {
        &self.client
    }

    /// What the answer to a submit of `number` tells. Pure: [`Provider::submit`] is this after sending.
    ///
    /// An answer that was understood counts as accepted only when it shows this order: it must name the
    /// number (S: it always does), and where it shows the phone, that must be ours. A phone that is
    /// masked must agree in what is shown. Its `cardnum` is a quantity, so there is no face value to
    /// compare; the product's name is for people.
    pub fn read_submit(
        &self,
        number: &str,
        account: &Account,
        exchange: &Exchange,
    ) -> SubmitOutcome {
        self.judge
            .submit(exchange, account, |envelope: &Envelope<Order>| {
                let order = shown(envelope)?;
                if order.uorderid.is_empty() {
                    return Err(NotSeen::Echo("the answer names no order number"));
                }
                seen(order, number, account)
            })
    }

    /// What the answer to a status query about `number` tells. Pure: [`Provider::query`] is this after
    /// sending. The documented answer names neither number nor phone; where one does, it must be ours.
    pub fn read_query(&self, number: &str, account: &Account, exchange: &Exchange) -> QueryOutcome {
        self.judge
            .query(exchange, account, |envelope: &Envelope<Order>| {
                seen(shown(envelope)?, number, account)
            })
    }

    fn listed(&self, order: &Order) -> UpstreamOrder {
        let mut listed = UpstreamOrder::new(self.judge.listed_number(&order.uorderid));
        listed.upstream_order_id = self.judge.listed_id(&order.sporder_id);
        listed.state = order.state();
        listed.cost = order.price();
        listed
    }
}

fn shown(envelope: &Envelope<Order>) -> Result<&Order, NotSeen> {
    match &envelope.result {
        Loose::Object(order) => Ok(order),
        Loose::Empty | Loose::Missing | Loose::Other => {
            Err(NotSeen::Unreadable("the answer shows no order"))
        }
    }
}

fn seen(order: &Order, number: &str, account: &Account) -> Result<Seen, NotSeen> {
    if order.uorderid.given().is_some_and(|echo| echo != number) {
        return Err(NotSeen::Echo("the answer names another order number"));
    }
    if order
        .game_userid
        .given()
        .is_some_and(|echo| !names(account, echo))
    {
        return Err(NotSeen::Echo("the answer names another phone"));
    }
    Ok(Seen {
        state: order.state().ok_or(NotSeen::Unreadable(
            "the answer has a game_state that is not listed",
        ))?,
        upstream_order_id: upstream_id(&order.sporder_id)?,
        cost: order.price(),
    })
}

#[async_trait]
impl Provider for JuheProvider {
    fn id(&self) -> &ProviderId {
        &self.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn submit(&self, request: &SubmitRequest) -> SubmitOutcome {
        let (number, account) = (request.number.as_str(), &request.account);
        let mut http = match self.client.submit_request(account, request.amount, number) {
            Ok(http) => http,
            Err(error) => return SubmitOutcome::NotSent(NotSent::new(error.to_string())),
        };
        if let Some(moment) = request.send_before {
            http.extensions_mut().insert(SendBefore(moment));
        }
        let exchange = self.client.send(http).await;
        self.read_submit(number, account, &exchange)
    }

    async fn query(&self, request: &QueryRequest) -> QueryOutcome {
        let number = request.number.as_str();
        match self.client.status_request(number) {
            Ok(http) => {
                let exchange = self.client.send(http).await;
                self.read_query(number, &request.account, &exchange)
            }
            Err(error) => QueryOutcome::Unavailable(Unavailable::new(
                UnavailableKind::Transport,
                error.to_string(),
            )),
        }
    }

    async fn check(
        &self,
        account: &Account,
        amount: FaceValue,
    ) -> Result<Result<(), Answer>, CallError> {
        let http = self.client.telcheck_request(account, amount);
        let exchange = self.client.send(http?).await;
        match self
            .judge
            .call::<Envelope<Product>>(&exchange, Some(account))?
        {
            Told::Understood(..) => Ok(Ok(())),
            Told::Refused(answer) | Told::NotFound(answer) => Ok(Err(answer)),
        }
    }

    async fn quote(&self, account: &Account, amount: FaceValue) -> Result<Quote, CallError> {
        let http = self.client.telquery_request(account, amount);
        let exchange = self.client.send(http?).await;
        let told = self
            .judge
            .call::<Envelope<Product>>(&exchange, Some(account))?;
        let (envelope, answer) = told.understood()?;
        let product = envelope.result.object();
        let Some((product, price)) = product.and_then(|p| Some((p, p.inprice.money()?))) else {
            return Err(lacks("the answer has no readable price", answer));
        };
        let mut quote = Quote::new(price, self.judge.mask(account, product.cardname.as_str()));
        let region = product.game_area.given();
        quote.region = region.map(|area| self.judge.mask(account, area));
        Ok(quote)
    }

    async fn balance(&self) -> Result<Money, CallError> {
        let now = (self.client.config().clock)().duration_since(UNIX_EPOCH);
        let now = now.map_err(|_| {
            CallError::new(CallErrorKind::Refused, "the clock is before 1970: set it")
        })?;
        let http = self.client.balance_request(now.as_secs());
        let exchange = self.client.send(http?).await;
        let told = self.judge.call::<Envelope<Balance>>(&exchange, None)?;
        let (envelope, answer) = told.understood()?;
        let balance = envelope.result.object();
        balance
            .and_then(|balance| balance.money.money())
            .ok_or_else(|| lacks("the answer has no readable balance", answer))
    }

    async fn list(&self, kind: AccountKind, page: u32) -> Result<Page, CallError> {
        if kind != AccountKind::Mobile {
            return Err(CallError::unsupported(Call::List));
        }
        let query = OrderListQuery {
            page: Some(page),
            page_size: Some(PAGE_SIZE),
            ..OrderListQuery::default()
        };
        let http = self.client.order_list_request(&query);
        let exchange = self.client.send(http?).await;
        let (envelope, answer) = match self.judge.call::<Envelope<OrderList>>(&exchange, None)? {
            Told::NotFound(_) => return Ok(Page::new(Vec::new(), false)),
            told => told.understood()?,
        };
        let list = envelope.result.object();
        let Some((list, rows)) = list.and_then(|list| Some((list, list.data.as_ref()?))) else {
            return Err(lacks("the answer has no list of orders", answer));
        };
        let more = match list.totalpage.count() {
            Some(pages) => page < pages,
            None => rows.0.len() >= PAGE_SIZE as usize,
        };
        Ok(Page::new(
            rows.0.iter().map(|row| self.listed(row)).collect(),
            more,
        ))
    }

    fn parse_callback(
        &self,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Callback, CallbackError> {
        callback::read(&self.client.config().app_key, content_type, body)
    }
}
