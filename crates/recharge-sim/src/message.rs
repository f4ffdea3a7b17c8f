//! Requests and replies, as the [`World`](crate::World) sees them: no sockets, no clock.

use std::time::Duration;

/// A request, head and body read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// The path, without host and query.
    pub path: String,
    /// What follows the question mark; may be empty.
    pub query: String,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The body; may be empty.
    pub body: Vec<u8>,
}

impl Request {
    /// A GET of a path with its query, such as `/ofpay/mobile/ordersta?key=K&orderid=12345678`.
    pub fn get(target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            ..Self::default()
        }
    }

    /// An urlencoded POST.
    pub fn post(path: &str, body: &str) -> Self {
        Self {
            method: "POST".to_owned(),
            path: path.to_owned(),
            content_type: Some("application/x-www-form-urlencoded".to_owned()),
            body: body.as_bytes().to_vec(),
            ..Self::default()
        }
    }
}

/// A reply, and how it is to travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The whole body, also where only a part of it is to travel.
    pub body: Vec<u8>,
    /// How it is to travel.
    pub delivery: Delivery,
}

/// How a reply travels. The front carries it out with real sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// At once and whole.
    Whole,
    /// Whole, after this time.
    Late(Duration),
    /// The full length is announced, this many bytes are sent, then the connection closes.
    CutOff(usize),
    /// In pieces of this many bytes, with this time between them.
    Drip(usize, Duration),
    /// Nothing is sent, and the connection is reset (RST).
    Reset,
    /// Nothing is sent for this time, then the connection closes.
    Silence(Duration),
}

impl Reply {
    /// What both upstreams send: status 200 and JSON.
    pub(crate) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::json_status(200, body)
    }

    pub(crate) fn json_status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type: "application/json;charset=utf-8",
            body: body.into(),
            delivery: Delivery::Whole,
        }
    }

    /// A page of HTML, as a proxy in front of an upstream makes it.
    pub(crate) fn html(status: u16) -> Self {
        Self {
            status,
            content_type: "text/html",
            body: format!(
                "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n\
                 <center><h1>{status}</h1></center>\r\n<hr><center>nginx</center>\r\n\
                 </body>\r\n</html>\r\n"
            )
            .into_bytes(),
            delivery: Delivery::Whole,
        }
    }

    /// Nothing, in this way.
    pub(crate) fn nothing(delivery: Delivery) -> Self {
        Self {
            status: 200,
            content_type: "application/json;charset=utf-8",
            body: Vec::new(),
            delivery,
        }
    }

    /// The same, travelling otherwise.
    pub(crate) fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }
}
