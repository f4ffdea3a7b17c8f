//! For the unit tests of both transports: a TLS server on loopback, and the roots that trust it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use bytes::Bytes;
use http::Request;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::tls;

/// For 127.0.0.1, self-signed, valid until 2120. Trusted by nothing but these tests.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBODCB3qADAgECAgEBMAoGCCqGSM49BAMCMBMxETAPBgNVBAMMCGxvb3BiYWNr
MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjATMREwDwYDVQQDDAhs
b29wYmFjazBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOL5EHiXqXEMuQHjFcGW
CHJTLj+HOFzCazPFfjgJCELtshNpdJRiHoFSwXKj301bP//e72A/MNTBBDSbg/t3
WeqjITAfMA8GA1UdEQQIMAaHBH8AAAEwDAYDVR0TAQH/BAIwADAKBggqhkjOPQQD
AgNJADBGAiEAhdqRXyBe3CudrQ0Gqs1jXRsS4ngcZeRdTFw4y/z0LXkCIQDB2aHS
ZHtIRvRmX1fQtWgyA+xQDWo6B1wk3bTkYODnRA==
-----END CERTIFICATE-----";

const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPVggDZ1OE6tM9Had
B+vuOdOjdR7hPyno/1CV4RD3hiKhRANCAATi+RB4l6lxDLkB4xXBlghyUy4/hzhc
wmszxX44CQhC7bITaXSUYh6BUsFyo99NWz//3u9gPzDUwQQ0m4P7d1nq
-----END PRIVATE KEY-----";

pub(crate) fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

/// Reads one request without a body and answers it.
pub(crate) fn answer(stream: &mut (impl Read + Write)) -> std::io::Result<()> {
    read_request(stream)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")?;
    stream.flush()
}

pub(crate) fn read_request(stream: &mut impl Read) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    Ok(())
}

/// A client's TLS that trusts the test server.
pub(crate) fn trusting() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).unwrap();
    tls::with_roots(roots).unwrap()
}

/// A TLS server that answers `answers` requests on each connection, reads one more and closes. Its
/// address, and a message for each request read.
pub(crate) fn serve_tls(answers: usize) -> (String, Receiver<()>) {
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let (seen, requests) = channel();
    let serve = move |stream: TcpStream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        for _ in 0..answers {
            answer(&mut stream)?;
            let _ = seen.send(());
        }
        read_request(&mut stream)?;
        let _ = seen.send(());
        std::io::Result::Ok(())
    };
    thread::spawn(move || {
        // A client that breaks off, for want of trust for one, ends its connection only.
        for stream in listener.incoming() {
            let _ = serve(stream.unwrap());
        }
    });
    (url, requests)
}

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap()
}
