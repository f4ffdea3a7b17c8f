//! Reading a file and an environment into a [`Config`]: every complaint names its place, every unknown
//! name the nearest right one, and no complaint repeats a value.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use recharge_core::{CodeClass, CodeOverrides};
use toml::de::{DeTable, DeValue};

use super::keys::{OVERRIDE, OVERRIDE_KEYS, ROUTE};
use super::nearest;
use super::route;
use super::{ChangedCode, Config, ConfigError, FILE_AT_MOST, KEYS, Key, PROVIDERS, Problem};

/// The text of a file, without a byte order mark.
pub(super) fn text(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut text = String::new();
    file.take(FILE_AT_MOST + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if text.len() as u64 > FILE_AT_MOST {
        return Err(unreadable(io::Error::other("it has more than 1 MiB")));
    }
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// How many complaints are made about one file.
const MOST_PROBLEMS: usize = 20;

/// A file and what was found wrong in it so far.
pub(super) struct Reader<'a> {
    text: &'a str,
    name: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    pub(super) fn place(&self, at: usize) -> String {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        format!("{}:{line}", self.name)
    }

    pub(super) fn complain(&mut self, at: usize, text: impl Into<String>) {
        // Each place is counted from the beginning, and nobody reads a thousand complaints.
        if self.problems.len() < MOST_PROBLEMS {
            let place = self.place(at);
            self.problems.push(Problem::new(place, text));
        }
    }
}

/// Reads a file's text. `name` is what it is called in complaints.
pub(super) fn file(text: &str, name: &str, config: &mut Config, problems: &mut Vec<Problem>) {
    let mut reader = Reader {
        text,
        name,
        problems,
    };
    let document = match DeTable::parse(text) {
        Ok(document) => document,
        Err(error) => {
            // The error's own text quotes the line, which may hold a secret; its message does not.
            let at = error.span().map_or(0, |span| span.start);
            reader.complain(at, format!("not TOML: {}", error.message()));
            return;
        }
    };
    // As they stand in the file, which is the order in which providers are preferred.
    let mut tables: Vec<_> = document.get_ref().iter().collect();
    tables.sort_by_key(|(name, _)| name.span().start);
    for (name, value) in tables {
        let at = name.span().start;
        let name = name.get_ref().as_ref();
        match value.get_ref() {
            DeValue::Array(items) if name == ROUTE => {
                for item in items {
                    route::read(&mut reader, item.span().start, item.get_ref(), config);
                }
            }
            _ if name == ROUTE => {
                reader.complain(at, "write it with double brackets: [[route]]");
            }
            DeValue::Array(items) if name == OVERRIDE => {
                for item in items {
                    code_override(&mut reader, item.span().start, item.get_ref(), config);
                }
            }
            _ if name == OVERRIDE => {
                reader.complain(at, "write it with double brackets: [[code_override]]");
            }
            DeValue::Table(table) if is_section(name) => {
                config.sections.push(name.to_owned());
                section(&mut reader, name, table, config);
            }
            _ if is_section(name) => {
                reader.complain(at, format!("{name} is a table: write [{name}]"));
            }
            _ => reader.complain(at, unknown_at_the_top(name)),
        }
    }
}

fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| key.section == name)
}

fn section(reader: &mut Reader<'_>, section: &str, table: &DeTable<'_>, config: &mut Config) {
    for (name, value) in table {
        let at = name.span().start;
        let name = name.get_ref().as_ref();
        match Key::find(section, name) {
            Some(key) => match key.kind.read_toml(value.get_ref()) {
                Ok(value) => {
                    let place = reader.place(at);
                    config.set(key, value, place);
                }
                Err(right) => reader.complain(at, format!("{section}.{name}: {right}")),
            },
            None => reader.complain(at, unknown_key(section, name)),
        }
    }
}

fn code_override(reader: &mut Reader<'_>, at: usize, item: &DeValue<'_>, config: &mut Config) {
    let DeValue::Table(table) = item else {
        reader.complain(at, "write it with double brackets: [[code_override]]");
        return;
    };
    let known = OVERRIDE_KEYS.iter().map(|(name, _)| *name);
    let found = reader.problems.len();
    for (name, _) in table {
        let place = name.span().start;
        let name = name.get_ref().as_ref();
        if !known.clone().any(|right| right == name) {
            let nearest = nearest(name, known.clone());
            reader.complain(
                place,
                format!("{OVERRIDE}.{name}: no such key; did you mean {nearest}?"),
            );
        }
    }
    let mut text = |name: &str, right: &str| -> Option<(usize, String)> {
        let Some(value) = table.get(name) else {
            reader.complain(at, format!("{OVERRIDE} has no {name}: {right}"));
            return None;
        };
        let (at, value) = (value.span().start, value.get_ref());
        let text = value.as_str().or_else(|| {
            // A code is mostly digits, and then it is as clear without quotes.
            let number = value
                .as_integer()
                .filter(|i| name == "code" && i.radix() == 10);
            number.map(toml::de::DeInteger::as_str)
        });
        if text.is_none() {
            reader.complain(at, format!("{OVERRIDE}.{name}: {right}"));
        }
        text.map(|text| (at, text.to_owned()))
    };
    let provider = text("provider", "write \"juhe\" or \"jisu\"");
    let code = text("code", "write a code such as \"208502\"");
    let class = text("class", "write a class such as \"unknown\"");
    let provider = provider.and_then(|(at, text)| {
        let known = PROVIDERS.into_iter().find(|name| *name == text);
        if known.is_none() {
            reader.complain(
                at,
                format!("{OVERRIDE}.provider: write \"juhe\" or \"jisu\""),
            );
        }
        known
    });
    let class = class.and_then(|(at, text)| match CodeClass::parse(&text) {
        Ok(class) => Some(class),
        Err(error) => {
            reader.complain(at, format!("{OVERRIDE}.class: {error}"));
            None
        }
    });
    let (Some(provider), Some((code_at, code)), Some(class)) = (provider, code, class) else {
        return;
    };
    if reader.problems.len() == found {
        let changed = ChangedCode {
            provider,
            code,
            class,
            place: reader.place(at),
        };
        if let Err(text) = change(config, changed) {
            reader.complain(code_at, format!("{OVERRIDE}.code: {text}"));
        }
    }
}

fn change(config: &mut Config, changed: ChangedCode) -> Result<(), String> {
    let about_submit = |class| matches!(class, CodeClass::Submit(_));
    let earlier = config.codes.iter().find(|earlier| {
        (earlier.provider, &earlier.code) == (changed.provider, &changed.code)
            && about_submit(earlier.class) == about_submit(changed.class)
    });
    if let Some(earlier) = earlier {
        return Err(format!(
            "{} {} has a class of this sort already, at {}: keep one of them",
            changed.provider, changed.code, earlier.place
        ));
    }
    let codes: &mut CodeOverrides = if changed.provider == "juhe" {
        &mut config.juhe_codes
    } else {
        &mut config.jisu_codes
    };
    codes
        .set(&changed.code, changed.class)
        .map_err(|error| error.to_string())?;
    config.codes.push(changed);
    Ok(())
}

/// Reads the variables of an environment that belong to keys. A name that begins as they do and is
/// none is an error; other `RECHARGE_…` variables are not ours to judge.
pub(super) fn environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    config: &mut Config,
    problems: &mut Vec<Problem>,
) {
    let mut variables: Vec<(String, OsString)> = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, value)| is_ours(name) && !value.is_empty())
        .collect();
    variables.sort();
    for (name, value) in variables {
        let Some(key) = KEYS.iter().find(|key| key.variable() == name) else {
            let names: Vec<String> = KEYS.iter().map(Key::variable).collect();
            let nearest = nearest(&name, names.iter().map(String::as_str));
            let text = format!("no such variable; did you mean {nearest}?");
            problems.push(Problem::new(name, text));
            continue;
        };
        let read = match value.to_str() {
            Some(text) => key.kind.read(text),
            None => Err(key.kind.right()),
        };
        match read {
            Ok(value) => config.set(key, value, name),
            Err(right) => problems.push(Problem::new(name, right)),
        }
    }
}

fn is_ours(variable: &str) -> bool {
    KEYS.iter().any(|key| variable.starts_with(&key.prefix()))
}

fn unknown_at_the_top(name: &str) -> String {
    let homes: Vec<&Key> = KEYS.iter().filter(|key| key.name == name).collect();
    if homes.is_empty() {
        let mut sections: Vec<&str> = KEYS.iter().map(|key| key.section).collect();
        sections.extend([ROUTE, OVERRIDE]);
        sections.dedup();
        let nearest = nearest(name, sections.into_iter());
        let (open, close) = if nearest == OVERRIDE || nearest == ROUTE {
            ("[[", "]]")
        } else {
            ("[", "]")
        };
        format!("{name}: no such table; did you mean {open}{nearest}{close}?")
    } else {
        let homes: Vec<String> = homes.iter().map(|key| key.path()).collect();
        format!(
            "{name}: no such key at the top; did you mean {}?",
            homes.join(" or ")
        )
    }
}

fn unknown_key(section: &str, name: &str) -> String {
    if let Some(elsewhere) = KEYS.iter().find(|key| key.name == name) {
        return format!(
            "{section}.{name}: no such key; did you mean {}?",
            elsewhere.path()
        );
    }
    let here = KEYS.iter().filter(|key| key.section == section);
    let nearest = nearest(name, here.map(|key| key.name));
    format!("{section}.{name}: no such key; did you mean {section}.{nearest}?")
}
