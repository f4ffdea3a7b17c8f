//! [`Address`]: where a notice may go, and what keeps it from going into our own network.
//!
//! Merchants name the addresses, and this service calls them from where it stands: behind firewalls, next to
//! databases, beside a cloud's own services. So an address is refused unless it is one of the public
//! internet's. What is written as a number is looked at when it is given; a name when it is resolved, which
//! is done once, and the connection goes to what was looked at: a name that answers otherwise the second time
//! has no second time.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// More bytes than this are no address: orders keep no longer ones.
const LONGEST: usize = 2_048;

/// Where notices may go: an `http` or `https` URL. `Debug` shows nothing of it: it can hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

/// Why a notice can't go there. The address isn't repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It doesn't begin so.
    #[error("write an address that begins with http:// or https://")]
    Scheme,
    /// It is too long, or there is no host, or something is in it that has no place there.
    #[error("write an address such as https://shop.example.com/recharge, of at most 2,048 bytes")]
    Form,
    /// It has a name and password.
    #[error("write the address without a name and password before the host")]
    UserInfo,
    /// It isn't in the public internet.
    #[error(transparent)]
    Private(#[from] PrivateAddress),
}

/// The address is not one of the public internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this leads to an address that is not in the public internet, such as a loopback or private one: write a public one, or have the operator set webhooks.allow_private = true"
)]
pub struct PrivateAddress;

impl Address {
    /// Checks an address, as far as it can be without resolving its name.
    pub fn parse(text: &str, allow_private: bool) -> Result<Self, AddressError> {
        if !text.starts_with("http://") && !text.starts_with("https://") {
            return Err(AddressError::Scheme);
        }
        // The parser would drop some of these without a word.
        let odd = |it: char| it.is_control() || it.is_whitespace() || it == '\\';
        if text.len() > LONGEST || text.chars().any(odd) {
            return Err(AddressError::Form);
        }
        let url = Url::parse(text).map_err(|_| AddressError::Form)?;
        if !url.username().is_empty() || url.password().is_some() || has_userinfo(text) {
            return Err(AddressError::UserInfo);
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(AddressError::Form)?;
        if url.port() == Some(0) {
            return Err(AddressError::Form);
        }
        // A number in any notation is in the usual one by now; to a number no resolver is asked.
        if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>()
            && !(allow_private || is_public(ip))
        {
            return Err(PrivateAddress.into());
        }
        Ok(Self(url))
    }

    pub(super) fn into_url(self) -> Url {
        self.0
    }
}

/// An empty name, as in `http://@host/`, leaves no trace in what is parsed.
fn has_userinfo(text: &str) -> bool {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.contains('@')
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(***)")
    }
}

/// Whether it is an address of the public internet: of one host, which anybody may reach.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

/// After IANA's registry of special-purpose addresses.
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let special = match ip.octets() {
        // Shared between customers of a carrier, RFC 6598.
        [100, second, ..] => (64..=127).contains(&second),
        // Link-local: clouds tell their machines' secrets there.
        [169, second, ..] => second == 254,
        [172, second, ..] => (16..=31).contains(&second),
        // This network, private, loopback; private, protocol assignments, documentation, relays to 6to4
        // (RFC 7526); measuring (RFC 2544); documentation.
        [0 | 10 | 127, ..]
        | [192, 168, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => true,
        // Multicast; reserved, with broadcast at the end.
        [first, ..] => first >= 224,
    };
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let bits = ip.to_bits();
    let inside = |network: Ipv6Addr, length: u32| (bits ^ network.to_bits()) >> (128 - length) == 0;
    let within = |segments: [u16; 2], length| {
        let [a, b] = segments;
        inside(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), length)
    };
    if let Some(ip) = ip.to_ipv4_mapped() {
        return is_public_v4(ip);
    }
    if inside(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96) {
        // NAT64: whoever translates would call this.
        return is_public_v4(embedded(bits));
    }
    if within([0x2002, 0], 16) {
        return is_public_v4(embedded(bits >> 80));
    }
    // Only 2000::/3 is given out to be reached. Of it not: protocol assignments, with Teredo among them, and
    // documentation.
    within([0x2000, 0], 3)
        && !within([0x2001, 0], 23)
        && !within([0x2001, 0xdb8], 32)
        && !within([0x3fff, 0], 20)
}

/// The address in the last 32 bits.
fn embedded(bits: u128) -> Ipv4Addr {
    let [.., a, b, c, d] = bits.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

/// Resolves names to addresses that notices may go to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver {
    pub(super) allow_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Addrs = Box::new(allowed(found, allow_private)?.into_iter());
            Ok(addresses)
        })
    }
}

/// Those that may be called: of a name that leads to both, the public ones.
fn allowed(
    found: impl Iterator<Item = SocketAddr>,
    allow_private: bool,
) -> Result<Vec<SocketAddr>, PrivateAddress> {
    let allowed = |it: &SocketAddr| allow_private || is_public(it.ip());
    let allowed: Vec<SocketAddr> = found.filter(allowed).collect();
    if allowed.is_empty() {
        return Err(PrivateAddress);
    }
    Ok(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2400:3200::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:0101:0101::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for other in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::192.168.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::",
            "2002:c0a8:101::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(other.parse().unwrap()), "{other}");
        }
    }

    #[test]
    fn loopback_is_refused_however_it_is_written() {
        for host in [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "0",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::127.0.0.1]",
            "[2002:7f00:1::]",
            "%31%32%37.0.0.1",
            "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
            "127\u{3002}0\u{3002}0\u{3002}1",
            "\u{2460}\u{2461}\u{2466}.0.0.1",
        ] {
            for text in [
                format!("http://{host}/"),
                format!("https://{host}:8443/x?y=z"),
            ] {
                let found = Address::parse(&text, false);
                assert_eq!(found, Err(AddressError::Private(PrivateAddress)), "{text}");
                assert!(Address::parse(&text, true).is_ok(), "{text}");
            }
        }
    }

    #[test]
    fn what_has_not_the_form_is_refused() {
        let long = format!("https://shop.example.com/{}", "a".repeat(2_048));
        for (text, error) in [
            ("", AddressError::Scheme),
            ("shop.example.com", AddressError::Scheme),
            ("//shop.example.com/", AddressError::Scheme),
            ("ftp://shop.example.com/", AddressError::Scheme),
            ("file:///etc/passwd", AddressError::Scheme),
            ("gopher://127.0.0.1:70/", AddressError::Scheme),
            ("javascript:alert(1)", AddressError::Scheme),
            ("unix:/run/x.sock", AddressError::Scheme),
            (" http://shop.example.com/", AddressError::Scheme),
            ("http://", AddressError::Form),
            ("http:///", AddressError::Form),
            ("http://shop.example.com:0/", AddressError::Form),
            ("http://shop.example.com:99999/", AddressError::Form),
            ("http://shop\t.example.com/", AddressError::Form),
            ("http://shop.example.com/a b", AddressError::Form),
            ("http://shop.example.com\\@127.0.0.1/", AddressError::Form),
            (
                "http://shop.example.com/\r\nHost: other",
                AddressError::Form,
            ),
            ("http://1.2.3.4.5/", AddressError::Form),
            ("http://0x100000000/", AddressError::Form),
            ("http://[fe80::1%25eth0]/", AddressError::Form),
            ("http://me@shop.example.com/", AddressError::UserInfo),
            ("http://me:pw@shop.example.com/", AddressError::UserInfo),
            ("http://@shop.example.com/", AddressError::UserInfo),
            ("http://:@shop.example.com/", AddressError::UserInfo),
            (long.as_str(), AddressError::Form),
        ] {
            assert_eq!(Address::parse(text, true), Err(error), "{text}");
        }
        for text in [
            "http://shop.example.com",
            "https://shop.example.com:8443/a@b?c=@d#e",
            "https://\u{5546}\u{5e97}.example.com/",
            "http://localhost/",
        ] {
            let address = Address::parse(text, false).unwrap();
            assert_eq!(format!("{address:?}"), "Address(***)");
        }
    }

    #[test]
    fn of_a_name_that_leads_both_ways_only_the_public_one_is_called() {
        let found = |ips: &[&str]| {
            let sockets = ips.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0));
            let allowed = allowed(sockets, false)?;
            Ok(allowed
                .iter()
                .map(|it| it.ip().to_string())
                .collect::<Vec<_>>())
        };
        let both = [
            "169.254.169.254",
            "1.1.1.1",
            "::ffff:10.0.0.1",
            "2606:4700::1111",
            "64:ff9b::a00:1",
        ];
        assert_eq!(
            found(&both),
            Ok(vec!["1.1.1.1".to_owned(), "2606:4700::1111".to_owned()])
        );
        assert_eq!(
            found(&["10.0.0.1", "::1", "2002:a00:1::"]),
            Err(PrivateAddress)
        );
        assert_eq!(found(&[]), Err(PrivateAddress));
    }

    #[tokio::test]
    async fn a_name_that_leads_to_loopback_is_refused() {
        for (allow_private, found) in [(false, false), (true, true)] {
            let resolver = Resolver { allow_private };
            let addresses = resolver.resolve("localhost".parse().unwrap()).await;
            assert_eq!(addresses.is_ok(), found);
        }
    }
}
