//! The provider suite, against the simulator's Juhe: as it is sent by default over one transport, and as
//! the merchant's own document sends it over the other.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use recharge_conformance::{SimBench, SimTarget};
use recharge_core::Provider;
use recharge_http::{HttpConfig, Transport};
use recharge_juhe::{Encoding, JuheConfig, JuheProvider};

fn limits(target: &SimTarget) -> HttpConfig {
    let default = HttpConfig::default();
    HttpConfig {
        connect_timeout: default.connect_timeout.min(target.timeout),
        timeout: target.timeout,
        ..default
    }
}

fn juhe(
    target: &SimTarget,
    encoding: Encoding,
    transport: impl Transport + 'static,
) -> Arc<dyn Provider> {
    let (key, open_id) = (
        &target.credentials.juhe_key,
        &target.credentials.juhe_openid,
    );
    let config = JuheConfig::new(key.as_str().into(), open_id.as_str().into())
        .unwrap()
        .with_base_url(&target.base_url)
        .unwrap()
        .with_encoding(encoding);
    Arc::new(JuheProvider::new(config, Arc::new(transport)))
}

mod urlencoded_over_hyper {
    use recharge_http::HyperTransport;

    use super::*;

    fn build(target: &SimTarget) -> Arc<dyn Provider> {
        let transport = HyperTransport::new(&limits(target)).unwrap();
        juhe(target, Encoding::Urlencoded, transport)
    }

    recharge_conformance::provider_suite!(async { SimBench::juhe(build).await.unwrap() });
}

mod multipart_over_reqwest {
    use recharge_http::ReqwestTransport;

    use super::*;

    fn build(target: &SimTarget) -> Arc<dyn Provider> {
        let transport = ReqwestTransport::new(&limits(target)).unwrap();
        juhe(target, Encoding::Multipart, transport)
    }

    recharge_conformance::provider_suite!(async { SimBench::juhe(build).await.unwrap() });
}
