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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Each differs from the default, so that none is lost on the way.
    #[test]
    fn what_is_configured_holds() {
        let text = r#"
            [server]
            listen = "127.0.0.1:7001"
            public_url = "https://recharge.example.com"
            requests_per_second = 7
            trusted_proxies = ["10.0.0.0/8"]
            cors_origins = ["https://shop.example.com"]
            metrics = false
            balances_every = "3m"
            [store]
            forget_accounts_after = "2160h"
            [webhooks]
            allow_private = true
            [callbacks]
            per_second = 9
            juhe_from = ["203.0.113.0/24"]
            jisu_from = ["198.51.100.7"]
        "#;
        let read = Config::from_text(text, "recharge.toml").and_then(|it| it.server());
        let read = read.unwrap();
        assert_eq!(read.listen.port(), 7_001);
        let url = Some("https://recharge.example.com");
        assert_eq!(read.public_url.as_deref(), url);
        assert_eq!(read.requests_per_second, Some(7));
        assert_eq!(read.trusted_proxies, ["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(read.cors_origins, ["https://shop.example.com"]);
        assert!(!read.metrics && read.allow_private_webhooks);
        assert_eq!(read.balances_every, Some(Duration::from_mins(3)));
        assert_eq!(read.forget_after, Some(Duration::from_hours(2_160)));
        assert_eq!(read.callbacks_per_second, 9);
        let mut senders = read.callback_senders;
        senders.sort_by(|one, other| one.0.cmp(&other.0));
        let of = |name: &str, network: &str| (name.to_owned(), vec![network.parse().unwrap()]);
        let expected = [of("jisu", "198.51.100.7/32"), of("juhe", "203.0.113.0/24")];
        assert_eq!(senders, expected);
    }

    #[test]
    fn what_is_not_configured_is_closed() {
        let read = Config::from_text("", "recharge.toml").and_then(|it| it.server());
        let read = read.unwrap();
        assert!(read.listen.ip().is_loopback() && !read.allow_private_webhooks);
        assert!(read.trusted_proxies.is_empty() && read.cors_origins.is_empty());
    }
}
