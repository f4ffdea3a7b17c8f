//! [`Lingering`]: a body that is read on for a moment when nobody wants it any more. A refusal may be answered long
//! before its request has come whole; were the connection closed on what is still under way, the client's system
//! would throw the answer away, and the client would not know why.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// For so long.
const WHILE: Duration = Duration::from_secs(1);
/// At most so many bytes.
const MOST: usize = 1024 * 1024;

/// A body that is read on for a moment after it was dropped.
#[derive(Debug)]
pub struct Lingering<B: Rest>(Option<B>);

/// What can be read on by a task of its own.
pub trait Rest: Body<Data = Bytes> + Send + Unpin + 'static {}

impl<B: Body<Data = Bytes> + Send + Unpin + 'static> Rest for B {}

impl<B: Rest> Lingering<B> {
    /// This body.
    pub const fn new(body: B) -> Self {
        Self(Some(body))
    }
}

impl<B: Rest> Body for Lingering<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match &mut self.0 {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl<B: Rest> Drop for Lingering<B> {
    fn drop(&mut self) {
        let rest = self.0.take().filter(|body| !body.is_end_stream());
        // Without a runtime there is no connection either.
        if let (Some(rest), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(timeout(WHILE, read_on(rest)));
        }
    }
}

async fn read_on(mut rest: impl Rest) {
    let mut read = 0;
    while read < MOST {
        let Some(Ok(frame)) = rest.frame().await else {
            return;
        };
        read += frame.data_ref().map_or(0, Buf::remaining);
    }
}
