//! From where a request comes: the other end of the connection; behind proxies that are trusted, the last
//! address that one of them names and that is none of theirs.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::request::Parts;
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of whoever sent the request; `None` where it can't be known.
pub fn of(parts: &Parts, trusted: &[IpNet]) -> Option<IpAddr> {
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    let values = parts.headers.get_all(FORWARDED_FOR);
    let hops = values
        .iter()
        .map(|value| value.to_str().unwrap_or_default());
    behind(peer.ip(), hops, trusted)
}

/// What comes first in the header was written by whoever likes, so it is read from its end.
fn behind<'a>(
    peer: IpAddr,
    values: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[IpNet],
) -> Option<IpAddr> {
    let mut last = peer.to_canonical();
    let mut hops = values.rev().flat_map(|value| value.rsplit(','));
    while trusted.iter().any(|network| network.contains(&last)) {
        match hops.next() {
            Some(hop) => last = ip(hop.trim())?,
            // The proxy itself.
            None => break,
        }
    }
    Some(last)
}

/// An address, with or without a port.
fn ip(hop: &str) -> Option<IpAddr> {
    let ip = hop.parse().ok().or_else(|| {
        let with_port = hop.parse::<SocketAddr>().ok().map(|it| it.ip());
        with_port.or_else(|| hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
    });
    ip.map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, values: &[&str]) -> Option<String> {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|it| it.parse().unwrap());
        behind(peer.parse().unwrap(), values.iter().copied(), &trusted).map(|ip| ip.to_string())
    }

    #[test]
    fn only_what_trusted_proxies_say_counts() {
        let cases: [(&str, &[&str], Option<&str>); 12] = [
            ("1.2.3.4", &[], Some("1.2.3.4")),
            // Not a proxy of ours: whatever it says.
            ("1.2.3.4", &["5.6.7.8"], Some("1.2.3.4")),
            ("10.0.0.1", &["5.6.7.8"], Some("5.6.7.8")),
            ("::ffff:10.0.0.1", &["::ffff:5.6.7.8"], Some("5.6.7.8")),
            // What the client wrote itself stands first.
            ("10.0.0.1", &["9.9.9.9, 5.6.7.8"], Some("5.6.7.8")),
            ("10.0.0.1", &["9.9.9.9", "5.6.7.8"], Some("5.6.7.8")),
            ("10.0.0.1", &["9.9.9.9,5.6.7.8 , 10.0.0.2"], Some("5.6.7.8")),
            ("10.0.0.1", &["5.6.7.8:4711"], Some("5.6.7.8")),
            ("fd00::1", &["[2400::1]:80,[fd00::2]"], Some("2400::1")),
            ("10.0.0.1", &["5.6.7.8, unknown"], None),
            ("10.0.0.1", &[""], None),
            ("10.0.0.1", &["10.0.0.3"], Some("10.0.0.3")),
        ];
        for (peer, values, found) in cases {
            assert_eq!(seen(peer, values).as_deref(), found, "{peer} {values:?}");
        }
        assert_eq!(seen("10.0.0.1", &[]).as_deref(), Some("10.0.0.1"));
    }
}
