//! What values are: how each is read, shown, and what is said when it can't be read.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use recharge_core::{FaceValue, SecretString};
use recharge_store::StoreUrl;
use toml::de::DeValue;

use crate::duration;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text that is never shown.
    Secret,
    /// An `http` or `https` address without user, query and fragment.
    BaseUrl,
    /// The address of a proxy. It may hold a password, so it is shown without one.
    Proxy,
    /// A path below a base URL.
    Path,
    /// One of these names.
    Choice(&'static [&'static str]),
    /// A duration as text.
    Duration,
    /// A duration above zero.
    Wait,
    /// Durations above zero, one or more.
    Waits,
    /// A whole number above zero, and no larger than this.
    Count(u32),
    /// Where orders are kept: `sqlite:` and a file.
    Store,
    /// People's names.
    Names,
    /// Face values in whole yuan.
    FaceValues,
    /// An address and a port to listen on.
    Listen,
    /// Yes or no.
    Flag,
    /// The name of a file.
    File,
    /// Addresses of machines, or networks of them.
    Networks,
    /// Origins of web pages.
    Origins,
}

/// A value that was read.
#[derive(Debug, Clone)]
pub enum Value {
    /// Of a [`Kind::Secret`].
    Secret(SecretString),
    /// Of a [`Kind::Proxy`].
    Proxy(recharge_http::ProxyUrl),
    /// Of a [`Kind::BaseUrl`], a [`Kind::Path`], a [`Kind::Choice`], a [`Kind::Store`] or a [`Kind::File`].
    Text(String),
    /// Of a [`Kind::Duration`] or a [`Kind::Wait`].
    Duration(Duration),
    /// Of a [`Kind::Waits`].
    Durations(Vec<Duration>),
    /// Of a [`Kind::Count`].
    Count(u32),
    /// Of a [`Kind::Names`] or a [`Kind::Origins`].
    Names(Vec<String>),
    /// Of a [`Kind::FaceValues`].
    FaceValues(Vec<FaceValue>),
    /// Of a [`Kind::Listen`].
    Listen(SocketAddr),
    /// Of a [`Kind::Flag`].
    Flag(bool),
    /// Of a [`Kind::Networks`].
    Networks(Vec<IpNet>),
}

impl Kind {
    /// What a value of this kind looks like in the file.
    pub fn right(self) -> String {
        match self {
            Self::Secret => {
                "write the secret as text in quotes, without spaces and line ends".to_owned()
            }
            Self::BaseUrl => {
                "write an address that begins with http:// or https://, in quotes, such as \"https://example.com/juhe\", without user, ? and #"
                    .to_owned()
            }
            Self::Proxy => "write an address in quotes, such as \"http://proxy:3128\"".to_owned(),
            Self::Path => {
                "write a path in quotes, such as \"/telrecharge/orderdetail\": a slash first, no ? and no #"
                    .to_owned()
            }
            Self::Choice(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
                format!("write {}", names.join(" or "))
            }
            Self::Duration => duration::RIGHT.to_owned(),
            Self::Wait => format!("{}; it is longer than zero", duration::RIGHT),
            Self::Waits => {
                "write one or more durations above zero, such as [\"5s\", \"15s\", \"1m\"] (in the environment: 5s,15s,1m)"
                    .to_owned()
            }
            Self::Count(most) => format!("write a whole number from 1 to {most}, without quotes"),
            Self::Store => {
                "write sqlite: and the name of a file, such as \"sqlite:recharge.sqlite\"".to_owned()
            }
            Self::Names => {
                "write people's names, such as [\"li.na\", \"wang.wei\"] (in the environment: li.na,wang.wei)"
                    .to_owned()
            }
            Self::FaceValues => {
                "write whole yuan above zero, such as [10, 50, 100] (in the environment: 10,50,100)"
                    .to_owned()
            }
            Self::Listen => {
                "write an IP address and a port, such as \"127.0.0.1:8080\"; port 0 is any free one"
                    .to_owned()
            }
            Self::Flag => "write true or false, without quotes".to_owned(),
            Self::File => "write the name of a file in quotes".to_owned(),
            Self::Networks => {
                "write IP addresses or networks, such as [\"10.0.0.0/8\", \"192.0.2.7\"] (in the environment: 10.0.0.0/8,192.0.2.7)"
                    .to_owned()
            }
            Self::Origins => {
                "write origins, such as [\"https://shop.example.com\"] (in the environment with commas between): a scheme and a host, no path"
                    .to_owned()
            }
        }
    }

    /// Reads a value as the environment has it. The error says what would be right and never what was
    /// given: a secret may have got into the wrong place.
    pub fn read(self, text: &str) -> Result<Value, String> {
        let read = match self {
            Self::Secret => {
                let usable = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
                usable.then(|| Value::Secret(text.into()))
            }
            Self::BaseUrl => recharge_http::form::BaseUrl::parse(text)
                .ok()
                .map(|url| Value::Text(url.as_str().to_owned())),
            Self::Proxy => text.parse().ok().map(Value::Proxy),
            Self::Path => {
                let usable = text.starts_with('/')
                    && text.bytes().all(|b| b.is_ascii_graphic())
                    && !text.contains(['?', '#']);
                usable.then(|| Value::Text(text.to_owned()))
            }
            Self::Choice(names) => names.contains(&text).then(|| Value::Text(text.to_owned())),
            Self::Duration => duration::parse(text).ok().map(Value::Duration),
            Self::Wait => wait(text).map(Value::Duration),
            Self::Waits => {
                some(text.split(',').map(|text| wait(text.trim()))).map(Value::Durations)
            }
            Self::Count(most) => count(text, most).map(Value::Count),
            Self::Store => {
                let usable = StoreUrl::parse(text).is_ok() && !text.chars().any(char::is_control);
                usable.then(|| Value::Text(text.to_owned()))
            }
            Self::Names => some(text.split(',').map(name)).map(Value::Names),
            Self::FaceValues => face_values(text.split(',').map(str::trim)),
            Self::Listen => text.parse().ok().map(Value::Listen),
            Self::Flag => text.parse().ok().map(Value::Flag),
            Self::File => {
                let usable = !text.is_empty() && !text.chars().any(char::is_control);
                usable.then(|| Value::Text(text.to_owned()))
            }
            Self::Networks => {
                some(text.split(',').map(|it| network(it.trim()))).map(Value::Networks)
            }
            Self::Origins => some(text.split(',').map(|it| origin(it.trim()))).map(Value::Names),
        };
        read.ok_or_else(|| self.right())
    }

    /// Reads a value as the file has it.
    pub(super) fn read_toml(self, value: &DeValue<'_>) -> Result<Value, String> {
        match (self, value) {
            (Self::FaceValues, DeValue::Array(items)) => face_values(
                items
                    .iter()
                    .map(|item| item.get_ref().as_integer().map_or("", |i| i.as_str())),
            )
            .ok_or_else(|| self.right()),
            (Self::Waits, DeValue::Array(items)) => {
                some(items.iter().map(|item| wait(item.get_ref().as_str()?)))
                    .map(Value::Durations)
                    .ok_or_else(|| self.right())
            }
            (Self::Names, DeValue::Array(items)) => {
                some(items.iter().map(|item| name(item.get_ref().as_str()?)))
                    .map(Value::Names)
                    .ok_or_else(|| self.right())
            }
            (Self::Networks, DeValue::Array(items)) => {
                some(items.iter().map(|item| network(item.get_ref().as_str()?)))
                    .map(Value::Networks)
                    .ok_or_else(|| self.right())
            }
            (Self::Origins, DeValue::Array(items)) => {
                some(items.iter().map(|item| origin(item.get_ref().as_str()?)))
                    .map(Value::Names)
                    .ok_or_else(|| self.right())
            }
            (Self::Flag, DeValue::Boolean(flag)) => Ok(Value::Flag(*flag)),
            (Self::Count(_), DeValue::Integer(number)) if number.radix() == 10 => {
                // TOML allows 10_000.
                self.read(&number.as_str().replace('_', ""))
            }
            (
                Self::FaceValues
                | Self::Waits
                | Self::Names
                | Self::Networks
                | Self::Origins
                | Self::Flag
                | Self::Count(_),
                _,
            ) => Err(self.right()),
            (_, DeValue::String(text)) => self.read(text),
            (_, _) => Err(self.right()),
        }
    }
}

impl Value {
    /// The value as it may be shown: no secret, no password.
    pub fn shown(&self) -> String {
        match self {
            Self::Secret(_) => "***".to_owned(),
            Self::Proxy(proxy) => proxy.to_string(),
            Self::Text(text) => text.clone(),
            Self::Duration(duration) => duration::show(*duration),
            Self::Durations(durations) => {
                let durations: Vec<String> =
                    durations.iter().copied().map(duration::show).collect();
                durations.join(",")
            }
            Self::Count(count) => count.to_string(),
            Self::Names(names) => names.join(","),
            Self::FaceValues(values) => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                values.join(",")
            }
            Self::Listen(address) => address.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Networks(networks) => {
                let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
                networks.join(",")
            }
        }
    }
}

fn network(text: &str) -> Option<IpNet> {
    let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(one)
}

/// A scheme and a host, and perhaps a port.
fn origin(text: &str) -> Option<String> {
    let address = recharge_http::form::BaseUrl::parse(text).ok()?;
    let host = text.split_once("://")?.1;
    let bare = !host.is_empty() && !host.contains(['/', '@']);
    bare.then(|| address.as_str().to_owned())
}

fn face_values<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Value> {
    some(texts.map(|text| FaceValue::from_yuan(text.parse().ok()?).ok())).map(Value::FaceValues)
}

/// All of them, if each could be read and there is one.
fn some<T>(items: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let items: Vec<T> = items.collect::<Option<_>>()?;
    (!items.is_empty()).then_some(items)
}

fn wait(text: &str) -> Option<Duration> {
    duration::parse(text).ok().filter(|wait| !wait.is_zero())
}

fn count(text: &str, most: u32) -> Option<u32> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let count = digits.then(|| text.parse().ok()).flatten()?;
    (1..=most).contains(&count).then_some(count)
}

/// A name that a decision can carry.
fn name(text: &str) -> Option<String> {
    let person = recharge_engine::Person::authenticated(text).ok()?;
    Some(person.name().to_owned())
}
