//! Command line values that are one of a few names.

use clap::builder::{PossibleValuesParser, TypedValueParser};

/// A parser of the names of `all`. Help and errors list the names.
pub(crate) fn choice<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|value| name(*value))).try_map(move |text| {
        all.iter()
            .copied()
            .find(|value| name(*value) == text)
            .ok_or("not one of the names")
    })
}
