//! The provider suite, against the simulator's Jisu: as it is sent by default over one transport, and
//! with the other settings over the other.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use recharge_conformance::{SimBench, SimTarget};
use recharge_core::Provider;
use recharge_http::HttpConfig;
use recharge_jisu::{JisuConfig, JisuProvider};

fn limits(target: &SimTarget) -> HttpConfig {
    let default = HttpConfig::default();
    HttpConfig {
        connect_timeout: default.connect_timeout.min(target.timeout),
        timeout: target.timeout,
        ..default
    }
}

fn config(target: &SimTarget) -> JisuConfig {
    let key = target.credentials.jisu_appkey.as_str();
    let secret = target.credentials.jisu_appsecret.as_str();
    JisuConfig::new(key.into(), secret.into())
        .unwrap()
        .with_base_url(&target.base_url)
        .unwrap()
}

mod get_over_hyper {
    use recharge_http::HyperTransport;

    use super::*;

    fn build(target: &SimTarget) -> Arc<dyn Provider> {
        let transport = HyperTransport::new(&limits(target)).unwrap();
        Arc::new(JisuProvider::new(config(target), Arc::new(transport)))
    }

    recharge_conformance::provider_suite!(async { SimBench::jisu(build).await.unwrap() });
}

mod post_in_the_documented_order_over_reqwest {
    use recharge_http::ReqwestTransport;
    use recharge_jisu::{Method, SignOrder};
    use recharge_sim::{JisuSignOrder, Upstream, WorldConfig};

    use super::*;

    fn build(target: &SimTarget) -> Arc<dyn Provider> {
        let transport = ReqwestTransport::new(&limits(target)).unwrap();
        let config = config(target)
            .with_method(Method::Post)
            .with_sign_order(SignOrder::DocumentedTable);
        Arc::new(JisuProvider::new(config, Arc::new(transport)))
    }

    async fn bench() -> SimBench {
        let world = WorldConfig {
            jisu_sign_order: JisuSignOrder::DocumentedTable,
            ..WorldConfig::default()
        };
        SimBench::start(Upstream::Jisu, world, build).await.unwrap()
    }

    recharge_conformance::provider_suite!(bench());
}
