//! One TLS configuration for both transports.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use crate::ConfigError;

/// TLS 1.2 and 1.3 with ring, trusting Mozilla's roots as compiled in: the same on every machine. The
/// provider is named here, because another crate in the build may bring a second one, and then rustls
/// would not choose.
pub(crate) fn client_config() -> Result<ClientConfig, ConfigError> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    with_roots(roots)
}

pub(crate) fn with_roots(roots: RootCertStore) -> Result<ClientConfig, ConfigError> {
    let versions = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::Client(error.to_string()))?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}
