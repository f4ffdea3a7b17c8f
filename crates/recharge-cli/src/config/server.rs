//! What the service is given: from a [`Config`].

use std::io::Read as _;
use std::path::PathBuf;

use recharge_core::SecretString;
use recharge_gateway::Settings;
use recharge_gateway::seal::MasterKey;

use super::{Config, ConfigError, Problem, Value};

/// The variable with the master key. It has no place in the file: the file lies where backups do.
pub const MASTER_KEY: &str = "RECHARGE_MASTER_KEY";

/// More bytes than this are no key.
const KEY_AT_MOST: u64 = 1024;

impl Config {
    /// What the service is given beside the engine.
    pub fn server(&self) -> Result<Settings, ConfigError> {
        let mut settings = Settings::default();
        if let Some(Value::Listen(address)) = self.value("server", "listen") {
            settings.listen = *address;
        }
        if let Some(Value::Text(url)) = self.value("server", "public_url") {
            settings.public_url = Some(url.clone());
        }
        settings.master_key = self.master_key()?;
        settings.requests_per_second = self.count("server", "requests_per_second");
        if let Some(Value::Networks(networks)) = self.value("server", "trusted_proxies") {
            settings.trusted_proxies.clone_from(networks);
        }
        if let Some(Value::Names(origins)) = self.value("server", "cors_origins") {
            settings.cors_origins.clone_from(origins);
        }
        if let Some(Value::Duration(after)) = self.value("store", "forget_accounts_after") {
            settings.forget_after = Some(*after);
        }
        if let Some(Value::Flag(metrics)) = self.value("server", "metrics") {
            settings.metrics = *metrics;
        }
        if let Some(Value::Duration(every)) = self.value("server", "balances_every") {
            settings.balances_every = Some(*every).filter(|it| !it.is_zero());
        }
        if let Some(Value::Flag(allow)) = self.value("webhooks", "allow_private") {
            settings.allow_private_webhooks = *allow;
        }
        if let Some(count) = self.count("callbacks", "per_second") {
            settings.callbacks_per_second = count;
        }
        for provider in super::PROVIDERS {
            let senders = self.value("callbacks", &format!("{provider}_from"));
            if let Some(Value::Networks(networks)) = senders {
                let senders = (provider.to_owned(), networks.clone());
                settings.callback_senders.push(senders);
            }
        }
        Ok(settings)
    }

    /// The master key of the environment, else that of the file that is named.
    pub fn master_key(&self) -> Result<Option<MasterKey>, ConfigError> {
        let wrong =
            |place: String, text: String| ConfigError::Problems(vec![Problem::new(place, text)]);
        let given = std::env::var(MASTER_KEY).ok().filter(|it| !it.is_empty());
        if let Some(text) = given {
            return MasterKey::parse(&SecretString::from(text))
                .map(Some)
                .map_err(|error| wrong(MASTER_KEY.to_owned(), error.to_string()));
        }
        let Some(setting) = self.get("server", "master_key_file") else {
            return Ok(None);
        };
        let Value::Text(file) = &setting.value else {
            return Ok(None);
        };
        let file = PathBuf::from(file);
        let place = || setting.place.clone();
        let mut text = String::new();
        std::fs::File::open(&file)
            .and_then(|it| it.take(KEY_AT_MOST).read_to_string(&mut text))
            .map_err(|error| wrong(place(), format!("{}: {error}", file.display())))?;
        MasterKey::parse(&SecretString::from(text))
            .map(Some)
            .map_err(|error| wrong(place(), format!("{}: {error}", file.display())))
    }

    fn value(&self, section: &str, name: &str) -> Option<&Value> {
        self.get(section, name).map(|setting| &setting.value)
    }
}
