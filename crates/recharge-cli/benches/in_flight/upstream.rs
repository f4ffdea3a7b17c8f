//! An upstream that takes every order of Juhe's, a second later.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpSocket;

/// Listens, says where, and serves until it is killed.
pub(super) fn run(latency: Duration) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(([127, 0, 0, 1], 0).into())?;
        let listener = socket.listen(16_384)?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let served = http1::Builder::new().serve_connection(
                TokioIo::new(stream),
                service_fn(move |request| answer(request, latency)),
            );
            tokio::spawn(served);
        }
    })
}

async fn answer(
    request: Request<Incoming>,
    latency: Duration,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    tokio::time::sleep(latency).await;
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let text = format!(
        r#"{{"reason":"订单提交成功,等待充值","result":{{"cardid":"157115","cardnum":"{}","ordercash":49.825,"cardname":"全国话费50元","sporder_id":"J{}","uorderid":"{}","game_userid":"{}","game_state":"0"}},"error_code":0}}"#,
        field("cardnum"),
        field("orderid").len(),
        field("orderid"),
        field("phoneno"),
    );
    Ok(Response::builder()
        .header("content-type", "application/json;charset=utf-8")
        .body(Full::new(Bytes::from(text)))
        .unwrap_or_default())
}
