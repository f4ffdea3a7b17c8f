//! `recharge.toml` and the environment: what is read, from where, and what is wrong with it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`keys`] | every key as data: kind, default, variable, meaning |
//! | [`kind`] | what values are, and how each is read |
//! | [`read`](mod@read) | the file as spans, so that every complaint names its line |
//! | [`route`] | one `[[route]]`, as it is written |
//! | [`build`] | transports and adapters' configurations from it |
//! | [`rules`] | what the engine needs: times, routes, limits, approvers |
//! | [`server`] | what the service is given |
//! | [`error`] | what is wrong, and where |

pub mod build;
pub mod error;
pub mod keys;
pub mod kind;
pub mod read;
pub mod route;
pub mod rules;
pub mod server;
mod short;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use error::{ConfigError, Problem};
pub use keys::{KEYS, Key};
pub use kind::{Kind, Value};
pub(crate) use recharge_batch::nearest;
pub use route::RouteSetting;
pub use rules::{Providers, Rules};

use recharge_core::CodeOverrides;

/// A documented configuration file in which everything is left at its default.
pub const TEMPLATE: &str = include_str!("template.toml");

/// The file that is read when none is named, if there is one in the current directory.
pub const DEFAULT_FILE: &str = "recharge.toml";

/// The upstreams that there are adapters for. Each has a table of its own.
pub(crate) const PROVIDERS: [&str; 2] = ["juhe", "jisu"];

/// The most bytes of a configuration file that are read.
pub(crate) const FILE_AT_MOST: u64 = 1 << 20;

/// What file and environment say, each value checked by itself.
#[derive(Debug, Clone, Default)]
pub struct Config {
    file: Option<PathBuf>,
    settings: BTreeMap<(&'static str, &'static str), Setting>,
    juhe_codes: CodeOverrides,
    jisu_codes: CodeOverrides,
    codes: Vec<ChangedCode>,
    routes: Vec<RouteSetting>,
    /// The tables of the file, as they follow each other there.
    sections: Vec<String>,
}

/// A value and where it is from.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The value.
    pub value: Value,
    /// Such as `recharge.toml:3` or `RECHARGE_JUHE_APP_KEY`.
    pub place: String,
}

/// A code whose class is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedCode {
    /// Whose code.
    pub provider: &'static str,
    /// The code.
    pub code: String,
    /// Its class.
    pub class: recharge_core::CodeClass,
    /// Where it is written.
    pub place: String,
}

impl Config {
    /// Reads the named file, else [`DEFAULT_FILE`] where there is one, and then this environment, which
    /// wins. All that is wrong is told at once.
    pub fn load(
        named: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let default = Path::new(DEFAULT_FILE);
        let path = named.or_else(|| default.exists().then_some(default));
        let mut config = Self::default();
        let mut problems = Vec::new();
        if let Some(path) = path {
            let text = read::text(path)?;
            config.file = Some(path.to_owned());
            read::file(
                &text,
                &path.display().to_string(),
                &mut config,
                &mut problems,
            );
        }
        read::environment(environment, &mut config, &mut problems);
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError::Problems(problems))
        }
    }

    /// Reads a file's text and no environment. `name` is what the file is called in complaints.
    pub fn from_text(text: &str, name: &str) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        let mut problems = Vec::new();
        read::file(text, name, &mut config, &mut problems);
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError::Problems(problems))
        }
    }

    /// The file that was read, if any.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What is set for a key, if anything is.
    pub fn get(&self, section: &str, name: &str) -> Option<&Setting> {
        let key = Key::find(section, name)?;
        self.settings.get(&(key.section, key.name))
    }

    /// The codes whose class is changed.
    pub fn changed_codes(&self) -> &[ChangedCode] {
        &self.codes
    }

    /// The `[[route]]`s as they are written.
    pub fn route_settings(&self) -> &[RouteSetting] {
        &self.routes
    }

    fn set(&mut self, key: &'static Key, value: Value, place: String) {
        self.settings
            .insert((key.section, key.name), Setting { value, place });
    }
}
