//! What commands share: the output, and the configuration, read when it is first needed.

use recharge_core::{ExposeSecret, SecretString};

use crate::cli::Global;
use crate::config::{Config, ConfigError, Providers, Rules};
use crate::output::Output;

/// What commands share.
#[derive(Debug)]
pub struct Context {
    /// Where answers go.
    pub output: Output,
    global: Global,
}

impl Context {
    /// The context of one run.
    pub fn new(global: Global) -> Self {
        Self {
            output: Output::standard(global.json),
            global,
        }
    }

    /// The configuration of file and environment.
    pub fn config(&self) -> Result<Config, ConfigError> {
        Config::load(self.global.config.as_deref(), std::env::vars_os())
    }

    /// What commands that keep orders need: the configuration, the providers that have an account, and
    /// the rules. What should be looked at is told on standard error.
    pub fn rules(&self) -> Result<(Config, Providers, Rules), ConfigError> {
        let config = self.config()?;
        let providers = config.providers()?;
        let rules = config.rules(&providers)?;
        self.output.warn(&rules.warnings);
        Ok((config, providers, rules))
    }

    /// A configuration that is needed only if it was asked for by name: a command that has all it needs
    /// must not fail over a `recharge.toml` that happens to lie here, and must not ignore one that was
    /// named.
    pub fn config_if_named(&self) -> Result<Option<Config>, ConfigError> {
        self.global
            .config
            .is_some()
            .then(|| self.config())
            .transpose()
    }

    /// A secret of the command line or the environment, else of the configuration.
    pub fn secret(
        &self,
        given: Option<&SecretString>,
        section: &str,
        name: &str,
    ) -> Result<SecretString, ConfigError> {
        match given {
            Some(secret) if !secret.expose_secret().is_empty() => Ok(secret.clone()),
            Some(_) | None => self.config()?.secret(section, name),
        }
    }
}
