//! Logs: JSON, a line each, on standard error; `RECHARGE_LOG` says of what.

use std::fmt::{self, Debug};

use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FormatFields, FormattedFields};

use crate::error::CliError;

/// From now on there are logs.
pub(crate) fn start() -> Result<(), CliError> {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .with_env_var("RECHARGE_LOG")
        .from_env()
        .map_err(|error| CliError::unconfigured(format!("RECHARGE_LOG: {error}")))?;
    tracing_subscriber::fmt()
        .json()
        .fmt_fields(SpanFields)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init()
        .map_err(|error| CliError::system("can't write logs", std::io::Error::other(error)))
}

/// Writes the fields of spans as JSON objects. What becomes known later is put at the end of the object, where
/// the library's own would read it again and write it anew: for each request that costs more than the rest of
/// its log.
struct SpanFields;

impl<'w> FormatFields<'w> for SpanFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        writer.write_char('{')?;
        let mut object = Object::new(&mut writer, true);
        fields.record(&mut object);
        object.written?;
        writer.write_char('}')
    }

    fn add_fields(
        &self,
        current: &'w mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let text = &mut current.fields;
        if text.pop() != Some('}') {
            // Nothing has been written before.
            text.clear();
            text.push('{');
        }
        let first = text.ends_with('{');
        let mut object = Object::new(text, first);
        fields.record(&mut object);
        object.written?;
        text.push('}');
        Ok(())
    }
}

/// An object that is being written, its braces apart.
struct Object<'w, W> {
    to: &'w mut W,
    /// Whether it has no field yet.
    first: bool,
    written: fmt::Result,
}

impl<'w, W: fmt::Write> Object<'w, W> {
    const fn new(to: &'w mut W, first: bool) -> Self {
        Self {
            to,
            first,
            written: Ok(()),
        }
    }

    /// The value is JSON already.
    fn put(&mut self, field: &Field, json: impl fmt::Display) {
        if self.written.is_ok() {
            let comma = if self.first { "" } else { "," };
            // Names of fields are Rust's: nothing in them must be escaped.
            self.written = write!(self.to, "{comma}\"{}\":{json}", field.name());
            self.first = false;
        }
    }
}

impl<W: fmt::Write> Visit for Object<'_, W> {
    fn record_str(&mut self, field: &Field, value: &str) {
        // A text is always JSON.
        self.put(field, serde_json::to_string(value).unwrap_or_default());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_span_is_one_object_also_when_it_learns_more() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .fmt_fields(SpanFields)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let empty = tracing::field::Empty;
            let span = tracing::info_span!(
                "request",
                id = "a\"b",
                n = 7,
                yes = true,
                order = empty,
                by = empty
            );
            span.record("order", tracing::field::display("line\none"));
            span.record("by", "shop");
            span.in_scope(|| tracing::warn!("answered"));
            let late = tracing::info_span!("late", order = empty);
            late.record("order", -3);
            late.in_scope(|| tracing::warn!("answered"));
            tracing::info_span!("bare").in_scope(|| tracing::warn!("answered"));
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let spans: Vec<_> = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["span"].clone())
            .collect();
        let expected = [
            serde_json::json!({"name": "request", "id": "a\"b", "n": 7, "yes": true, "order": "line\none", "by": "shop"}),
            serde_json::json!({"name": "late", "order": -3}),
            serde_json::json!({"name": "bare"}),
        ];
        assert_eq!(spans, expected);
    }
}
