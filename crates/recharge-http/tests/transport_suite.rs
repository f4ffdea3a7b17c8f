//! Every transport of this crate passes the suite that every transport must pass.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod over_reqwest {
    recharge_conformance::transport_suite!(
        |config| recharge_http::ReqwestTransport::new(config).unwrap(),
        reuses_connections: false
    );
}

mod over_hyper {
    recharge_conformance::transport_suite!(
        |config| recharge_http::HyperTransport::new(config).unwrap(),
        reuses_connections: true
    );
}

mod over_tower {
    use recharge_http::{HttpConfig, HyperTransport, ServiceTransport, Transport};

    fn make(config: &HttpConfig) -> impl Transport + use<> {
        let inner = HyperTransport::new(config).unwrap();
        ServiceTransport::new(tower::service_fn(move |request| {
            let inner = inner.clone();
            async move { inner.send(request).await }
        }))
    }

    recharge_conformance::transport_suite!(make, reuses_connections: true);
}
