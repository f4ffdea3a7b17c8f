//! What the callbacks of both upstreams have in common: how an input is read, and the laws.

use recharge_core::{Callback, CallbackError, UpstreamOrderId, UpstreamState};

use crate::fields;
use crate::hidden::{Hidden, bounded, same, twice};

/// What a reader makes of a callback.
pub type Told = Result<Callback, CallbackError>;

/// What is particular to the callbacks of one upstream.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Reads the body of one, given its content type.
    pub read: fn(Option<&str>, &[u8]) -> Told,
    /// The field with our number.
    pub number: &'static str,
    /// The field with the upstream's.
    pub id: &'static str,
    /// The field with the state, and what it can say.
    pub state: (&'static str, &'static [(&'static str, UpstreamState)]),
    /// The signed fields, in the order in which their values are signed.
    pub signed: &'static [&'static str],
    /// The signature of their values.
    pub sign: fn(&[&str]) -> String,
}

/// An input: its first byte says how the rest is given.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// `s`: lines, which are to be signed.
    ToSign(&'a [u8]),
    /// Anything else: a body. `u` has the type of an urlencoded one, `m` that of a multipart one, `t` the type
    /// in its first line; what is left has none.
    Body(Option<&'a [u8]>, &'a [u8]),
}

impl<'a> Input<'a> {
    /// Reads one. `None`: it is empty.
    pub fn read(data: &'a [u8]) -> Option<Self> {
        let (how, rest) = data.split_first()?;
        Some(match how {
            b's' => Self::ToSign(rest),
            b't' => {
                let at = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                let (kind, body) = rest.split_at(at);
                Self::Body(Some(kind), body.get(1..).unwrap_or_default())
            }
            b'm' => Self::Body(Some(b"multipart/form-data; boundary=fuzz"), rest),
            b'u' => Self::Body(Some(b"application/x-www-form-urlencoded"), rest),
            _ => Self::Body(None, rest),
        })
    }
}

/// Holds what is shown of a callback, or of an error, against the secret.
///
/// # Panics
///
/// If it is shown, or an error is too long.
pub fn shows_nothing(hidden: &Hidden, told: &Told) {
    match told {
        Ok(callback) => hidden.keeps(
            "the message",
            callback.message.as_deref().unwrap_or_default(),
        ),
        Err(error) => {
            let text = error.to_string();
            hidden.keeps("the error", &text);
            bounded("the error", &text, 200);
        }
    }
}

impl Kind {
    /// Gives a body to the reader, and holds what it is taken for against its signature.
    ///
    /// # Panics
    ///
    /// If a law is broken.
    pub fn given(&self, kind: Option<&[u8]>, body: &[u8]) {
        let kind = kind.map(String::from_utf8_lossy);
        let kind = kind.as_deref();
        let told = (self.read)(kind, body);
        if twice(body) {
            same(&told, &(self.read)(kind, body));
        }
        let Ok(callback) = told else { return };
        let read = fields::of(kind, body);
        let only = |name: &str| {
            let mut all = read.iter().filter(|(given, _)| given == name);
            let value = all.next().map(|(_, value)| value.as_str());
            assert!(all.next().is_none(), "{name} comes twice, and was believed");
            value
        };
        let values: Vec<&str> = self.signed.iter().filter_map(|name| only(name)).collect();
        assert_eq!(
            values.len(),
            self.signed.len(),
            "a field that is missing, and was believed"
        );
        let sign = only("sign").map(str::to_ascii_lowercase);
        assert_eq!(
            sign,
            Some((self.sign)(&values)),
            "genuine, and nobody has signed it"
        );
        let id = callback
            .upstream_order_id
            .as_ref()
            .map(UpstreamOrderId::as_str);
        assert_eq!(
            (only(self.id), only(self.number)),
            (id, Some(callback.number.as_str())),
            "numbers that didn't come"
        );
        assert_eq!(
            self.claims(only(self.state.0)),
            callback.claims,
            "another state than it claims"
        );
    }

    /// The state that a value claims.
    fn claims(&self, value: Option<&str>) -> Option<UpstreamState> {
        let mut states = self.state.1.iter();
        let (_, state) = states.find(|(written, _)| Some(*written) == value)?;
        Some(*state)
    }

    /// Holds what is rightly signed against what it says: it is genuine, whatever its values.
    ///
    /// # Panics
    ///
    /// If a law is broken.
    pub fn genuine(&self, told: Told, id: &str, number: &str, state: &str) {
        let usable = |text: &str| {
            (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
        };
        match told {
            Ok(callback) => {
                assert!(usable(id) && usable(number), "numbers of no form of ours");
                assert_eq!(callback.number, number);
                let given = callback.upstream_order_id.as_ref();
                assert_eq!(given.map(UpstreamOrderId::as_str), Some(id));
                assert_eq!(callback.claims, self.claims(Some(state)));
            }
            Err(CallbackError::Unusable(_)) => {
                assert!(
                    !usable(id) || !usable(number),
                    "a genuine one that was not read"
                );
            }
            Err(CallbackError::Forged) => {
                unreachable!("a genuine one that was taken for a forgery")
            }
        }
    }

    /// Holds what somebody made of a genuine callback against what it is. What was not usable before need not be
    /// called a forgery now.
    ///
    /// # Panics
    ///
    /// If it is believed, or is refused for another reason only.
    pub fn forged(&self, told: &Told, usable: bool, what: &str) {
        let found = match told {
            Ok(_) => false,
            Err(CallbackError::Forged) => true,
            Err(CallbackError::Unusable(_)) => !usable,
        };
        assert!(found, "{what} is not taken for a forgery");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recharge_sim::md5;

    const STATES: &[(&str, UpstreamState)] = &[("1", UpstreamState::Succeeded)];

    /// A reader that looks at everything but the signature.
    fn believes(kind: Option<&str>, body: &[u8]) -> Told {
        let fields = fields::of(kind, body);
        let field = |name: &str| {
            let found = fields.iter().find(|(given, _)| given == name);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        let mut callback = Callback::new(field("number").to_owned());
        let id = UpstreamOrderId::parse(field("id"));
        callback.upstream_order_id =
            Some(id.map_err(|_| CallbackError::Unusable("id".to_owned()))?);
        callback.claims = (field("state") == "1").then_some(UpstreamState::Succeeded);
        Ok(callback)
    }

    const GULLIBLE: Kind = Kind {
        read: believes,
        number: "number",
        id: "id",
        state: ("state", STATES),
        signed: &["id", "number"],
        sign: md5::hex,
    };

    fn broken(kind: Option<&str>, body: &[u8]) -> bool {
        std::panic::catch_unwind(|| GULLIBLE.given(kind.map(str::as_bytes), body)).is_err()
    }

    #[test]
    fn a_forgery_that_is_believed_breaks_the_law_however_it_travels() {
        let values = |sign| [("id", "A"), ("number", "B"), ("state", "1"), ("sign", sign)];
        let right = md5::hex(&["A", "B"]);
        for (sign, law) in [(right.as_str(), false), ("0", true)] {
            let body = fields::encoded(&values(sign));
            assert_eq!(broken(None, &body), law, "urlencoded");
            let (kind, body) = fields::multipart(&values(sign)).unwrap();
            assert_eq!(broken(Some(kind), body.as_bytes()), law, "multipart");
        }
    }
}
