//! Cases about callbacks. A provider that declares none is held to [`other_calls_are_unsupported`]
//! alone.
//!
//! [`other_calls_are_unsupported`]: super::other_calls_are_unsupported

use std::sync::Arc;

use recharge_core::{Call, Callback, CallbackError, Provider, ProviderExt, SubmitRequest};

use super::law::{Trial, accepted, ensure, kinds, prints_nothing};
use super::{Bench, CallbackSample, End, Failure};

/// A taken order, its genuine callback, and who reads it.
struct Scene<'a> {
    bench: &'a dyn Bench,
    provider: Arc<dyn Provider>,
    order: SubmitRequest,
    sample: CallbackSample,
    end: End,
}

impl<'a> Scene<'a> {
    /// One for each kind of account and each end; none where the provider has no callbacks.
    async fn all(bench: &'a dyn Bench) -> Result<Vec<Self>, Failure> {
        let provider = bench.provider();
        let mut scenes = Vec::new();
        for kind in kinds(bench)? {
            for end in [End::Succeeded, End::Failed] {
                let trial = Trial::healthy(bench, kind);
                accepted(&trial).await?;
                let sample = bench.callback(&trial.order, end).await?;
                ensure!(
                    sample.is_some() == provider.can(Call::Callback),
                    "callbacks are declared by the provider or sent by the upstream, but not both"
                );
                scenes.extend(sample.map(|sample| Scene {
                    bench,
                    provider: Arc::clone(&provider),
                    order: trial.order,
                    sample,
                    end,
                }));
            }
        }
        Ok(scenes)
    }

    /// Reads these fields; whatever comes of it prints nothing that it must not.
    fn read(
        &self,
        fields: &[(String, String)],
    ) -> Result<Result<Callback, CallbackError>, Failure> {
        let (content_type, body) = self.bench.encode_callback(fields);
        let read = self.provider.parse_callback(content_type.as_deref(), &body);
        prints_nothing(self.bench, &self.order, &read)?;
        Ok(read)
    }

    /// The sample with the value of one field changed.
    fn with(&self, name: &str, change: impl Fn(&str) -> String) -> Vec<(String, String)> {
        let mut fields = self.sample.fields.clone();
        for (field, value) in &mut fields {
            if field == name {
                *value = change(value);
            }
        }
        fields
    }

    fn value(&self, name: &str) -> Result<&str, Failure> {
        let mut fields = self.sample.fields.iter();
        let found = fields.find(|(field, _)| field == name);
        found
            .map(|(_, value)| value.as_str())
            .ok_or_else(|| Failure::new(format!("the bench's sample callback has no field {name}")))
    }
}

/// A genuine callback is read: its number, the upstream's number, the state that it claims.
pub async fn a_genuine_callback_is_read(bench: &dyn Bench) -> Result<(), Failure> {
    for scene in Scene::all(bench).await? {
        let callback = scene.read(&scene.sample.fields)?;
        let callback = callback
            .map_err(|error| Failure::new(format!("a genuine callback is refused: {error}")))?;
        ensure!(
            callback.number == scene.order.number.as_str(),
            "the callback is read as about another number"
        );
        let entry = bench.entry(scene.order.number).await?;
        ensure!(
            callback.upstream_order_id.is_none()
                || callback.upstream_order_id == entry.upstream_order_id,
            "the callback is read with another upstream number than the books have"
        );
        ensure!(
            callback.claims == Some(scene.end.state()),
            "the callback is read as claiming {:?}, not {:?}",
            callback.claims,
            scene.end
        );
    }
    Ok(())
}

/// Any byte of any signed field changed: forged.
pub async fn a_changed_callback_is_forged(bench: &dyn Bench) -> Result<(), Failure> {
    for scene in Scene::all(bench).await? {
        for name in &scene.sample.signed {
            for place in 0..scene.value(name)?.chars().count() {
                let fields = scene.with(name, |value| with_another_char(value, place));
                let read = scene.read(&fields)?;
                ensure!(
                    read == Err(CallbackError::Forged),
                    "character {place} of {name} was changed, and the callback is not forged: {read:?}"
                );
            }
        }
    }
    Ok(())
}

/// A field that is missing, and bodies that are no callback at all.
pub async fn an_incomplete_callback_is_unusable(bench: &dyn Bench) -> Result<(), Failure> {
    for scene in Scene::all(bench).await? {
        let needed = scene.sample.signed.iter().chain([&scene.sample.state]);
        for name in needed {
            scene.value(name)?;
            let mut fields = scene.sample.fields.clone();
            fields.retain(|(field, _)| field != name);
            let read = scene.read(&fields)?;
            ensure!(
                matches!(read, Err(CallbackError::Unusable(_))),
                "without {name} a callback must be unusable: {read:?}"
            );
        }
        for body in [&b""[..], b"\xff\xfe\x00", b"{}", b"[]", b"<html></html>"] {
            for content_type in [None, Some("application/json"), Some("text/plain")] {
                let read = scene.provider.parse_callback(content_type, body);
                ensure!(
                    matches!(read, Err(CallbackError::Unusable(_))),
                    "a body that is no callback must be unusable: {read:?}"
                );
            }
        }
    }
    Ok(())
}

/// A field that comes twice, equal or not, before or after: two readers could read two things.
pub async fn a_repeated_field_is_unusable(bench: &dyn Bench) -> Result<(), Failure> {
    for scene in Scene::all(bench).await? {
        let needed = scene.sample.signed.iter().chain([&scene.sample.state]);
        for name in needed {
            let value = scene.value(name)?;
            for again in [value.to_owned(), with_another_char(value, 0)] {
                for at_front in [true, false] {
                    let mut fields = scene.sample.fields.clone();
                    let place = if at_front { 0 } else { fields.len() };
                    fields.insert(place, ((*name).to_owned(), again.clone()));
                    let read = scene.read(&fields)?;
                    ensure!(
                        matches!(read, Err(CallbackError::Unusable(_))),
                        "with {name} twice a callback must be unusable: {read:?}"
                    );
                }
            }
        }
    }
    Ok(())
}

/// Changing the state that a callback claims breaks its signature, or doesn't, as it is declared.
pub async fn the_signature_covers_the_state_as_declared(bench: &dyn Bench) -> Result<(), Failure> {
    for scene in Scene::all(bench).await? {
        let sample = &scene.sample;
        let covers = scene.provider.capabilities().callback_covers_state;
        ensure!(
            covers == sample.signed.contains(&sample.state),
            "whether callbacks cover the state is declared otherwise than the bench signs them"
        );
        let genuine = scene.read(&sample.fields)?;
        ensure!(
            genuine.is_ok_and(|callback| callback.covers_state == covers),
            "a callback must say what is declared: whether its signature covers the state"
        );
        let fields = scene.with(sample.state, |_| sample.opposite.to_owned());
        ensure!(
            fields != sample.fields,
            "the bench's opposite state is the state itself"
        );
        match scene.read(&fields)? {
            Err(CallbackError::Forged) => ensure!(
                covers,
                "the state is declared as not covered, and yet changing it is a forgery"
            ),
            Ok(callback) => {
                ensure!(
                    !covers,
                    "the state is declared as covered, and yet it can be changed"
                );
                ensure!(
                    callback.claims.is_some() && callback.claims != Some(scene.end.state()),
                    "the changed state is read as {:?}",
                    callback.claims
                );
            }
            Err(CallbackError::Unusable(why)) => {
                return Err(Failure::new(format!(
                    "another state makes the callback unusable: {why}"
                )));
            }
        }
    }
    Ok(())
}

/// The text with one character replaced by another of its class: a digit by a digit, a letter by a
/// letter, so that the field keeps its form.
fn with_another_char(text: &str, place: usize) -> String {
    text.chars()
        .enumerate()
        .map(|(at, char)| match char {
            char if at != place => char,
            '9' => '0',
            '0'..='8' => char::from(char as u8 + 1),
            // Within a hex digest, and in the alphabet of the numbers.
            'b' => 'c',
            'B' => 'C',
            char if char.is_ascii_lowercase() => 'b',
            char if char.is_ascii_uppercase() => 'B',
            _ => '0',
        })
        .collect()
}
