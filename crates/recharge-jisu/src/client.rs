//! Typed calls that mirror the wire, one to a path.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use recharge_core::{Account, AccountKind, Carrier, ExposeSecret, FaceValue};
use recharge_http::form::{Encoding, request};
use recharge_http::judge::Exchange;
use recharge_http::{ClientError, Transport};
use recharge_sign::jisu::{SignOrder, sign};

use crate::wire::{Envelope, Good, ListEnvelope, Order};
use crate::{JisuConfig, Product};

// No document asks for a particular one.
const USER_AGENT: &str = "recharge";

/// Jisu's calls, as documented. Each sends one request and returns the answer as it is written,
/// whatever its `status`; nothing is retried.
///
/// For orders that cost money use [`JisuProvider`](crate::JisuProvider): it compares the echo and knows
/// what each code proves. Here a [`ClientError`] on a recharge is **not** a failure of the order: ask
/// for its detail.
#[derive(Debug, Clone)]
pub struct JisuClient {
    config: Arc<JisuConfig>,
    transport: Arc<dyn Transport>,
}

/// By which number an order is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderKey<'a> {
    /// `outorderno`: the number that we sent.
    Ours(&'a str),
    /// `orderno`: Jisu's own.
    Theirs(&'a str),
}

impl JisuClient {
    /// A client of that account over that transport.
    pub fn new(config: JisuConfig, transport: Arc<dyn Transport>) -> Self {
        Self {
            config: Arc::new(config),
            transport,
        }
    }

    /// Its configuration.
    pub fn config(&self) -> &JisuConfig {
        &self.config
    }

    /// Tops up a landline, a broadband account or a combined one: `telrecharge/recharge`. All fields are
    /// required (S). `outorderno` is the merchant's number.
    pub async fn recharge_landline(
        &self,
        account: &Account,
        amount: FaceValue,
        carrier: Carrier,
        outorderno: &str,
    ) -> Result<Envelope<Order>, ClientError> {
        let request = self.recharge_landline_request(account, amount, carrier, outorderno)?;
        ClientError::read(self.send(request).await)
    }

    /// Tops up a mobile number: `mobilerecharge/recharge`.
    pub async fn recharge_mobile(
        &self,
        phone: &Account,
        amount: FaceValue,
        outorderno: &str,
    ) -> Result<Envelope<Order>, ClientError> {
        let request = self.recharge_mobile_request(phone, amount, outorderno)?;
        ClientError::read(self.send(request).await)
    }

    /// Asks about one order: `orderdetail`.
    pub async fn order_detail(
        &self,
        product: Product,
        order: OrderKey<'_>,
    ) -> Result<Envelope<Order>, ClientError> {
        ClientError::read(self.send(self.order_detail_request(product, order)?).await)
    }

    /// Lists orders: `orderlist`. Pages are counted from 1 and have at most 40 orders.
    pub async fn order_list(
        &self,
        product: Product,
        page: u32,
        page_size: u32,
    ) -> Result<ListEnvelope<Order>, ClientError> {
        let request = self.order_list_request(product, page, page_size)?;
        ClientError::read(self.send(request).await)
    }

    /// Lists products and prices: `goods`. For landlines only where its path is configured.
    pub async fn goods(&self, product: Product) -> Result<ListEnvelope<Good>, ClientError> {
        ClientError::read(self.send(self.goods_request(product)?).await)
    }

    /// The request of [`recharge_landline`](Self::recharge_landline), signed and encoded.
    pub fn recharge_landline_request(
        &self,
        account: &Account,
        amount: FaceValue,
        carrier: Carrier,
        outorderno: &str,
    ) -> Result<Request<Bytes>, ClientError> {
        let fields = [
            ("tel", account.as_str()),
            ("amount", &amount.to_string()),
            ("teltype", teltype(carrier)?),
            ("rechargetype", rechargetype(account.kind())?),
            ("outorderno", order_number(outorderno)?),
        ];
        self.recharge_request("/telrecharge/recharge", self.config.sign_order, &fields)
    }

    /// The request of [`recharge_mobile`](Self::recharge_mobile), signed and encoded.
    pub fn recharge_mobile_request(
        &self,
        phone: &Account,
        amount: FaceValue,
        outorderno: &str,
    ) -> Result<Request<Bytes>, ClientError> {
        if phone.kind() != AccountKind::Mobile {
            return Err(ClientError::Input(
                "mobilerecharge tops up mobile numbers: use recharge_landline for other accounts",
            ));
        }
        let fields = [
            ("mobile", phone.as_str()),
            ("amount", &amount.to_string()),
            ("outorderno", order_number(outorderno)?),
        ];
        self.recharge_request("/mobilerecharge/recharge", SignOrder::Sorted, &fields)
    }

    /// The request of [`order_detail`](Self::order_detail). Unsigned (H).
    pub fn order_detail_request(
        &self,
        product: Product,
        order: OrderKey<'_>,
    ) -> Result<Request<Bytes>, ClientError> {
        let path = match product {
            Product::Landline => self.config.landline_detail_path.as_str(),
            Product::Mobile => "/mobilerecharge/orderdetail",
        };
        let order = match order {
            OrderKey::Ours(number) => ("outorderno", order_number(number)?),
            OrderKey::Theirs(number) => ("orderno", order_number(number)?),
        };
        self.ask(path, &[order])
    }

    /// The request of [`order_list`](Self::order_list).
    pub fn order_list_request(
        &self,
        product: Product,
        page: u32,
        page_size: u32,
    ) -> Result<Request<Bytes>, ClientError> {
        if page == 0 {
            return Err(ClientError::Input("pages are counted from 1"));
        }
        if !(1..=40).contains(&page_size) {
            return Err(ClientError::Input("a page of Jisu has 1 to 40 orders"));
        }
        let path = match product {
            Product::Landline => "/telrecharge/orderlist",
            Product::Mobile => "/mobilerecharge/orderlist",
        };
        let (page, page_size) = (page.to_string(), page_size.to_string());
        self.ask(path, &[("pagenum", &page), ("pagesize", &page_size)])
    }

    /// The request of [`goods`](Self::goods).
    pub fn goods_request(&self, product: Product) -> Result<Request<Bytes>, ClientError> {
        let path = match product {
            Product::Landline => self.config.landline_goods_path.as_deref(),
            Product::Mobile => Some("/mobilerecharge/goods"),
        };
        let path = path.ok_or(ClientError::Input(
            "no document gives the path of the landline goods: set landline_goods_path in [jisu]",
        ))?;
        self.ask(path, &[])
    }

    /// Sends a request as it is, once.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Exchange {
        self.transport.send(request).await
    }

    fn recharge_request(
        &self,
        path: &str,
        order: SignOrder,
        fields: &[(&str, &str)],
    ) -> Result<Request<Bytes>, ClientError> {
        let secret = self.config.app_secret.expose_secret();
        let sign = sign(order, fields.iter().copied(), secret)
            .map_err(|_| ClientError::Input("a parameter is given twice"))?
            .to_hex();
        let mut all = vec![("appkey", self.config.app_key.expose_secret())];
        all.extend_from_slice(fields);
        all.push(("sign", sign.as_str()));
        self.request(self.config.method.encoding(), path, &all)
    }

    fn ask(&self, path: &str, fields: &[(&str, &str)]) -> Result<Request<Bytes>, ClientError> {
        let mut all = vec![("appkey", self.config.app_key.expose_secret())];
        all.extend_from_slice(fields);
        self.request(Encoding::Query, path, &all)
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

/// The carrier's number (S).
fn teltype(carrier: Carrier) -> Result<&'static str, ClientError> {
    match carrier {
        Carrier::Unicom => Ok("1"),
        Carrier::Telecom => Ok("2"),
        Carrier::Tietong => Ok("3"),
        Carrier::Mobile => Ok("4"),
        Carrier::Broadnet => Err(ClientError::Input(
            "Jisu serves lines of unicom, telecom, tietong and mobile: name one of them",
        )),
    }
}

/// The number of the account's kind (S).
fn rechargetype(kind: AccountKind) -> Result<&'static str, ClientError> {
    match kind {
        AccountKind::Landline => Ok("1"),
        AccountKind::Broadband => Ok("2"),
        AccountKind::Combined => Ok("3"),
        AccountKind::Mobile => Err(ClientError::Input(
            "telrecharge tops up landlines and broadband: use recharge_mobile for mobile numbers",
        )),
    }
}

/// No document gives a form of the merchant's number, only that it must not be empty (211).
fn order_number(text: &str) -> Result<&str, ClientError> {
    if (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        Ok(text)
    } else {
        Err(ClientError::Input(
            "an order number has 1 to 64 letters or digits",
        ))
    }
}
