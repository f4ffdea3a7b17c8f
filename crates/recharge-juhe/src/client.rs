//! Typed calls that mirror the wire, one to a path.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use recharge_core::{Account, AccountKind, ExposeSecret, FaceValue};
use recharge_http::form::{Encoding, request};
use recharge_http::judge::Exchange;
use recharge_http::{ClientError, Transport};
use recharge_sign::juhe::Signer;

use crate::JuheConfig;
use crate::wire::{Balance, Envelope, Order, OrderList, Product};

const USER_AGENT: &str = "JuheData";

/// Juhe's calls, as documented. Each sends one request and returns the answer as it is written,
/// whatever its `error_code`; nothing is retried.
///
/// For orders that cost money use [`JuheProvider`](crate::JuheProvider): it compares the echo and knows
/// what each code proves. Here a [`ClientError`] on [`submit`](Self::submit) is **not** a failure of the
/// order: ask for its state.
#[derive(Debug, Clone)]
pub struct JuheClient {
    config: Arc<JuheConfig>,
    transport: Arc<dyn Transport>,
    signer: Signer,
}

/// Which orders to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderListQuery<'a> {
    /// The page, from 1; 1 when left out.
    pub page: Option<u32>,
    /// Orders to a page, at most 100; 50 when left out.
    pub page_size: Option<u32>,
    /// Only orders of this phone.
    pub phone: Option<&'a Account>,
    /// Only the order of this number.
    pub order_id: Option<&'a str>,
}

impl JuheClient {
    /// A client of that account over that transport.
    pub fn new(config: JuheConfig, transport: Arc<dyn Transport>) -> Self {
        let signer = Signer::new(
            config.open_id.expose_secret(),
            config.app_key.expose_secret(),
        );
        Self {
            config: Arc::new(config),
            transport,
            signer,
        }
    }

    /// Its configuration.
    pub fn config(&self) -> &JuheConfig {
        &self.config
    }

    /// Submits an order: `onlineorder`. `order_id` is the merchant's number, 8 to 32 letters or digits.
    pub async fn submit(
        &self,
        phone: &Account,
        amount: FaceValue,
        order_id: &str,
    ) -> Result<Envelope<Order>, ClientError> {
        let request = self.submit_request(phone, amount, order_id)?;
        ClientError::read(self.send(request).await)
    }

    /// Asks for the state of an order: `ordersta`.
    pub async fn status(&self, order_id: &str) -> Result<Envelope<Order>, ClientError> {
        ClientError::read(self.send(self.status_request(order_id)?).await)
    }

    /// Asks whether a number can be charged: `telcheck`. The answer is the code; the result is empty.
    pub async fn telcheck(
        &self,
        phone: &Account,
        amount: FaceValue,
    ) -> Result<Envelope<Product>, ClientError> {
        ClientError::read(self.send(self.telcheck_request(phone, amount)?).await)
    }

    /// Asks for product and price: `telquery`.
    pub async fn telquery(
        &self,
        phone: &Account,
        amount: FaceValue,
    ) -> Result<Envelope<Product>, ClientError> {
        ClientError::read(self.send(self.telquery_request(phone, amount)?).await)
    }

    /// Asks for the balance of the merchant's account: `yue`. `timestamp` is in unix seconds. Juhe
    /// allows one call in 30 seconds (M).
    pub async fn balance(&self, timestamp: u64) -> Result<Envelope<Balance>, ClientError> {
        ClientError::read(self.send(self.balance_request(timestamp)?).await)
    }

    /// Lists orders: `orderlist`.
    pub async fn order_list(
        &self,
        query: &OrderListQuery<'_>,
    ) -> Result<Envelope<OrderList>, ClientError> {
        ClientError::read(self.send(self.order_list_request(query)?).await)
    }

    /// The request of [`submit`](Self::submit), signed and encoded.
    pub fn submit_request(
        &self,
        phone: &Account,
        amount: FaceValue,
        order_id: &str,
    ) -> Result<Request<Bytes>, ClientError> {
        let phone = mobile(phone)?;
        let order_id = order_number(order_id)?;
        let amount = amount.to_string();
        let sign = self.signer.submit(phone, &amount, order_id).to_hex();
        let fields = [
            ("key", self.config.app_key.expose_secret()),
            ("phoneno", phone),
            ("cardnum", &amount),
            ("orderid", order_id),
            ("sign", sign.as_str()),
        ];
        self.request(self.config.encoding, "/ofpay/mobile/onlineorder", &fields)
    }

    /// The request of [`status`](Self::status).
    pub fn status_request(&self, order_id: &str) -> Result<Request<Bytes>, ClientError> {
        let fields = [
            ("key", self.config.app_key.expose_secret()),
            ("orderid", order_number(order_id)?),
        ];
        self.request(Encoding::Query, "/ofpay/mobile/ordersta", &fields)
    }

    /// The request of [`telcheck`](Self::telcheck).
    pub fn telcheck_request(
        &self,
        phone: &Account,
        amount: FaceValue,
    ) -> Result<Request<Bytes>, ClientError> {
        self.product_request("/ofpay/mobile/telcheck", phone, amount)
    }

    /// The request of [`telquery`](Self::telquery).
    pub fn telquery_request(
        &self,
        phone: &Account,
        amount: FaceValue,
    ) -> Result<Request<Bytes>, ClientError> {
        self.product_request("/ofpay/mobile/telquery", phone, amount)
    }

    /// The request of [`balance`](Self::balance), signed.
    pub fn balance_request(&self, timestamp: u64) -> Result<Request<Bytes>, ClientError> {
        let timestamp = timestamp.to_string();
        let sign = self.signer.balance(&timestamp).to_hex();
        let fields = [
            ("key", self.config.app_key.expose_secret()),
            ("timestamp", &timestamp),
            ("sign", sign.as_str()),
        ];
        self.request(Encoding::Query, "/ofpay/mobile/yue", &fields)
    }

    /// The request of [`order_list`](Self::order_list). What is left out is not sent.
    pub fn order_list_request(
        &self,
        query: &OrderListQuery<'_>,
    ) -> Result<Request<Bytes>, ClientError> {
        if query.page == Some(0) {
            return Err(ClientError::Input("pages are counted from 1"));
        }
        if query
            .page_size
            .is_some_and(|size| !(1..=100).contains(&size))
        {
            return Err(ClientError::Input("a page of Juhe has 1 to 100 orders"));
        }
        let page = query.page.map(|page| page.to_string());
        let page_size = query.page_size.map(|size| size.to_string());
        let mut fields = vec![("key", self.config.app_key.expose_secret())];
        fields.extend(page.as_deref().map(|page| ("page", page)));
        fields.extend(page_size.as_deref().map(|size| ("pagesize", size)));
        if let Some(phone) = query.phone {
            fields.push(("mobilephone", mobile(phone)?));
        }
        if let Some(order_id) = query.order_id {
            fields.push(("orderid", order_number(order_id)?));
        }
        self.request(Encoding::Query, "/ofpay/mobile/orderlist", &fields)
    }

    /// Sends a request as it is, once.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Exchange {
        self.transport.send(request).await
    }

    fn product_request(
        &self,
        path: &str,
        phone: &Account,
        amount: FaceValue,
    ) -> Result<Request<Bytes>, ClientError> {
        let amount = amount.to_string();
        let fields = [
            ("key", self.config.app_key.expose_secret()),
            ("phoneno", mobile(phone)?),
            ("cardnum", &amount),
        ];
        self.request(Encoding::Query, path, &fields)
    }

    fn request(
        &self,
        encoding: Encoding,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Request<Bytes>, ClientError> {
        request(encoding, &self.config.base, path, fields, USER_AGENT).map_err(ClientError::Request)
    }
}

fn mobile(account: &Account) -> Result<&str, ClientError> {
    if account.kind() == AccountKind::Mobile {
        Ok(account.as_str())
    } else {
        Err(ClientError::Input(
            "Juhe tops up mobile numbers only: send other accounts through another provider",
        ))
    }
}

/// Juhe's form of an order number (H). A sample of the merchant's own document has 9 digits.
fn order_number(text: &str) -> Result<&str, ClientError> {
    if (8..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        Ok(text)
    } else {
        Err(ClientError::Input(
            "an order number at Juhe has 8 to 32 letters or digits",
        ))
    }
}
