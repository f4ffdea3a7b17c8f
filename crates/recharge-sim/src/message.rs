//! Requests and replies, as the [`World`](crate::World) sees them: no sockets, no clock.

use std::fmt;
use std::time::Duration;

use crate::hidden::Size;
use crate::stats::safe_path;

/// A request, head and body read. `Debug` shows how long query and body are, and nothing of them: keys and
/// accounts stand there.
#[derive(Clone, Default, PartialEq, Eq)]
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

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &safe_path(&self.path, false))
            .field("query", &Size(self.query.len()))
            .field("content_type", &self.content_type)
            .field("body", &Size(self.body.len()))
            .finish()
    }
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

/// A reply, and how it is to travel. `Debug` shows how long the body is, and nothing of it.
#[derive(Clone, PartialEq, Eq)]
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

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("body", &Size(self.body.len()))
            .field("delivery", &self.delivery)
            .finish()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_replies_show_no_account() {
        let texts = [
            format!("{:?}", Request::get("/a?phoneno=18900001234")),
            format!("{:?}", Request::get("/a/18900001234")),
            format!("{:?}", Request::post("/a", "phoneno=18900001234")),
            format!("{:?}", Reply::json(r#"{"game_userid":"18900001234"}"#)),
        ];
        for text in &texts {
            // Neither as text nor as a list of bytes.
            assert!(
                !text.contains("18900001234") && !text.contains("49, 56, 57"),
                "{text}"
            );
        }
        assert!(texts[0].contains("query: 19 bytes"), "{}", texts[0]);
        assert!(texts[2].contains("body: 19 bytes"), "{}", texts[2]);
    }
}
