//! Adapters' configurations and transports, from a [`Config`].

use std::sync::Arc;
use std::time::Duration;

use recharge_core::{FaceValue, SecretString};
use recharge_http::{HttpConfig, HyperTransport, ProxyUrl, ReqwestTransport, Transport};
use recharge_jisu::{JisuConfig, Method, Product, SignOrder};
use recharge_juhe::{Encoding, Environment, JuheConfig};

use super::{Config, ConfigError, Key, Problem, Value};

impl Config {
    /// A secret that must be there.
    pub fn secret(&self, section: &str, name: &str) -> Result<SecretString, ConfigError> {
        match self.get(section, name).map(|setting| &setting.value) {
            Some(Value::Secret(secret)) => Ok(secret.clone()),
            Some(_) | None => Err(self.missing(section, name).into()),
        }
    }

    /// Juhe's configuration. Needs its two secrets.
    pub fn juhe(&self) -> Result<JuheConfig, ConfigError> {
        let text = |name| self.text("juhe", name);
        let environment = text("environment").and_then(Environment::parse);
        let encoding = match text("encoding") {
            Some("multipart") => Encoding::Multipart,
            Some("query") => Encoding::Query,
            Some(_) | None => Encoding::Urlencoded,
        };
        let (app_key, open_id) = self.both("juhe", "app_key", "open_id")?;
        let mut juhe = JuheConfig::new(app_key, open_id)
            .and_then(|juhe| juhe.with_environment(environment.unwrap_or_default()))
            .map_err(|error| self.wrong("juhe", &error))?
            .with_encoding(encoding)
            .with_code_overrides(self.juhe_codes.clone());
        if let Some(url) = text("base_url") {
            let with = juhe.with_base_url(url);
            juhe = with.map_err(|error| self.wrong("juhe", &error))?;
        }
        if let Some(values) = self.face_values("juhe", "face_values") {
            let with = juhe.with_face_values(values);
            juhe = with.map_err(|error| self.wrong("juhe", &error))?;
        }
        Ok(juhe)
    }

    /// Jisu's configuration. Needs its two secrets.
    pub fn jisu(&self) -> Result<JisuConfig, ConfigError> {
        let text = |name| self.text("jisu", name);
        let sign_order = match text("sign_order") {
            Some("documented-table") => SignOrder::DocumentedTable,
            Some(_) | None => SignOrder::Sorted,
        };
        let method = match text("method") {
            Some("post") => Method::Post,
            Some(_) | None => Method::Get,
        };
        let wrong = |error| self.wrong("jisu", &error);
        let (app_key, app_secret) = self.both("jisu", "app_key", "app_secret")?;
        let mut jisu = JisuConfig::new(app_key, app_secret)
            .map_err(wrong)?
            .with_sign_order(sign_order)
            .with_method(method)
            .with_code_overrides(self.jisu_codes.clone());
        if let Some(url) = text("base_url") {
            jisu = jisu.with_base_url(url).map_err(wrong)?;
        }
        if let Some(path) = text("landline_detail_path") {
            jisu = jisu.with_landline_detail_path(path).map_err(wrong)?;
        }
        if let Some(path) = text("landline_goods_path") {
            jisu = jisu.with_landline_goods_path(path).map_err(wrong)?;
        }
        for (name, product) in [
            ("landline_face_values", Product::Landline),
            ("mobile_face_values", Product::Mobile),
        ] {
            if let Some(values) = self.face_values("jisu", name) {
                jisu = jisu.with_face_values(product, values).map_err(wrong)?;
            }
        }
        Ok(jisu)
    }

    /// The limits of a transport.
    pub fn http(&self) -> HttpConfig {
        let mut http = HttpConfig::default();
        if let Some(duration) = self.duration("connect_timeout") {
            http.connect_timeout = duration;
        }
        if let Some(duration) = self.duration("timeout") {
            http.timeout = duration;
        }
        http.proxy = self.proxy();
        http
    }

    /// The chosen transport.
    pub fn transport(&self) -> Result<Arc<dyn Transport>, ConfigError> {
        let http = self.http();
        let transport: Result<Arc<dyn Transport>, _> = match self.text("http", "transport") {
            Some("hyper") => HyperTransport::new(&http).map(|made| Arc::new(made) as _),
            Some(_) | None => ReqwestTransport::new(&http).map(|made| Arc::new(made) as _),
        };
        transport.map_err(|error| self.wrong("http", &format!("http: {error}")))
    }

    /// What is wrong between values: half an account, limits that contradict each other.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        for (section, outcome) in [
            ("juhe", self.juhe().map(drop)),
            ("jisu", self.jisu().map(drop)),
            ("http", self.transport().map(drop)),
        ] {
            match outcome {
                Err(ConfigError::Problems(found)) if section == "http" || self.has(section) => {
                    problems.extend(found);
                }
                Err(error @ ConfigError::Unreadable { .. }) => return Err(error),
                Ok(()) | Err(ConfigError::Problems(_)) => {}
            }
        }
        if problems.is_empty() {
            // What routes name is judged by the accounts that there are.
            self.rules(&self.providers()?).map(drop)
        } else {
            Err(ConfigError::Problems(problems))
        }
    }

    /// Whether anything is set for an upstream.
    pub fn has(&self, section: &str) -> bool {
        self.settings.keys().any(|(of, _)| *of == section)
    }

    fn both(
        &self,
        section: &str,
        one: &str,
        other: &str,
    ) -> Result<(SecretString, SecretString), ConfigError> {
        match (self.secret(section, one), self.secret(section, other)) {
            (Ok(one), Ok(other)) => Ok((one, other)),
            (Err(_), Err(_)) => Err(ConfigError::Problems(vec![
                self.missing(section, one),
                self.missing(section, other),
            ])),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        }
    }

    fn missing(&self, section: &str, name: &str) -> Problem {
        let file = match self.file() {
            Some(path) => path.display().to_string(),
            None => super::DEFAULT_FILE.to_owned(),
        };
        let variable = Key::find(section, name).map_or_else(String::new, Key::variable);
        let text = format!(
            "{section}.{name} is missing: set {name} under [{section}] in {file}, or {variable} in the environment"
        );
        Problem::new("", text)
    }

    /// What an adapter or a transport refuses. They name the key themselves, and no value.
    fn wrong(&self, section: &str, error: &impl ToString) -> ConfigError {
        let place = match self.file() {
            Some(path) if self.has(section) => path.display().to_string(),
            Some(_) | None => String::new(),
        };
        Problem::new(place, error.to_string()).into()
    }

    fn text(&self, section: &str, name: &str) -> Option<&str> {
        match self.get(section, name).map(|setting| &setting.value) {
            Some(Value::Text(text)) => Some(text),
            Some(_) | None => None,
        }
    }

    fn duration(&self, name: &str) -> Option<Duration> {
        match self.get("http", name).map(|setting| &setting.value) {
            Some(Value::Duration(duration)) => Some(*duration),
            Some(_) | None => None,
        }
    }

    fn proxy(&self) -> Option<ProxyUrl> {
        match self.get("http", "proxy").map(|setting| &setting.value) {
            Some(Value::Proxy(proxy)) => Some(proxy.clone()),
            Some(_) | None => None,
        }
    }

    fn face_values(&self, section: &str, name: &str) -> Option<Vec<FaceValue>> {
        match self.get(section, name).map(|setting| &setting.value) {
            Some(Value::FaceValues(values)) => Some(values.clone()),
            Some(_) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn config(variables: &[(&str, &str)]) -> Config {
        let secrets = [
            ("JUHE_APP_KEY", "k"),
            ("JUHE_OPEN_ID", "o"),
            ("JISU_APP_KEY", "k"),
            ("JISU_APP_SECRET", "s"),
        ];
        let variables = secrets.iter().chain(variables).map(|(name, value)| {
            let name = OsString::from(format!("RECHARGE_{name}"));
            (name, OsString::from(value))
        });
        Config::load(None, variables).unwrap()
    }

    /// What is set, as `Debug` shows it, must be in what is built, and not in what is built without it.
    #[track_caller]
    fn reaches(variable: (&str, &str), built: fn(&Config) -> String, shown: &str) {
        assert!(!built(&config(&[])).contains(shown), "{shown}");
        let built = built(&config(&[variable]));
        assert!(built.contains(shown), "{built}");
    }

    #[test]
    fn every_setting_reaches_what_is_built() {
        let juhe = |config: &Config| format!("{:?}", config.juhe().unwrap());
        let jisu = |config: &Config| format!("{:?}", config.jisu().unwrap());
        let http = |config: &Config| format!("{:?}", config.http());
        let transport = |config: &Config| format!("{:?}", config.transport().unwrap());
        for (variable, built, shown) in [
            (
                ("JUHE_ENVIRONMENT", "test"),
                juhe as fn(&Config) -> String,
                "test-v.juhe.cn",
            ),
            (("JUHE_BASE_URL", "http://h/p/"), juhe, "\"http://h/p\""),
            (("JUHE_ENCODING", "multipart"), juhe, "encoding: Multipart"),
            (("JUHE_ENCODING", "query"), juhe, "encoding: Query"),
            (
                ("JUHE_FACE_VALUES", "7,3"),
                juhe,
                "[FaceValue(3), FaceValue(7)]",
            ),
            (("JISU_BASE_URL", "http://h"), jisu, "\"http://h\""),
            (
                ("JISU_SIGN_ORDER", "documented-table"),
                jisu,
                "DocumentedTable",
            ),
            (("JISU_METHOD", "post"), jisu, "method: Post"),
            (
                ("JISU_LANDLINE_DETAIL_PATH", "/d"),
                jisu,
                "landline_detail_path: \"/d\"",
            ),
            (
                ("JISU_LANDLINE_GOODS_PATH", "/g"),
                jisu,
                "landline_goods_path: Some(\"/g\")",
            ),
            (
                ("JISU_LANDLINE_FACE_VALUES", "7"),
                jisu,
                "landline_face_values: [FaceValue(7)]",
            ),
            (
                ("JISU_MOBILE_FACE_VALUES", "7"),
                jisu,
                "mobile_face_values: [FaceValue(7)]",
            ),
            (("HTTP_CONNECT_TIMEOUT", "7s"), http, "connect_timeout: 7s"),
            (("HTTP_TIMEOUT", "70s"), http, "timeout: 70s"),
            (("HTTP_PROXY", "http://p:1"), http, "http://p:1"),
            (("HTTP_TRANSPORT", "hyper"), transport, "HyperTransport"),
        ] {
            reaches(variable, built, shown);
        }
    }

    #[test]
    fn an_address_wins_over_the_environment() {
        let both = [("JUHE_ENVIRONMENT", "test"), ("JUHE_BASE_URL", "http://h")];
        let juhe = format!("{:?}", config(&both).juhe().unwrap());
        assert!(
            juhe.contains("\"http://h\"") && !juhe.contains("test-v"),
            "{juhe}"
        );
    }
}
