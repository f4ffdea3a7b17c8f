//! Why a command gives no answer. Each error has its exit status, and says what to do.

use std::io;

use recharge_core::{CallError, CallErrorKind};
use serde_json::{Value, json};

use crate::config::ConfigError;
use crate::exit::Exit;

/// Why a command gives no answer. Never shows a secret.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line or the input can't be used.
    #[error("{0}")]
    Unusable(String),
    /// The configuration is missing or wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An account is missing.
    #[error("{0}")]
    Unconfigured(String),
    /// An upstream gave no answer, or refused.
    #[error("{0}")]
    Call(#[from] CallError),
    /// This machine is in the way.
    #[error("{what}: {source}")]
    System {
        /// What could not be done, and what would help.
        what: String,
        /// What the system says.
        source: io::Error,
    },
}

impl CliError {
    /// Input that can't be used: what is wrong, and what would be right.
    pub fn unusable(text: impl Into<String>) -> Self {
        Self::Unusable(text.into())
    }

    /// What is missing from the configuration, and how to set it.
    pub fn unconfigured(text: impl Into<String>) -> Self {
        Self::Unconfigured(text.into())
    }

    /// Trouble with the store.
    pub fn store(error: recharge_engine::StoreError) -> Self {
        Self::system("the store", io::Error::other(error))
    }

    /// Trouble of this machine.
    pub fn system(what: impl Into<String>, source: io::Error) -> Self {
        Self::System {
            what: what.into(),
            source,
        }
    }

    /// The exit status.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Unusable(_) => Exit::Usage,
            Self::Config(_) | Self::Unconfigured(_) => Exit::Config,
            Self::Call(error) => match error.kind {
                CallErrorKind::Unsupported => Exit::Usage,
                // Refused by the adapter, before anything was asked.
                CallErrorKind::Refused if error.answer.is_none() => Exit::Usage,
                CallErrorKind::Denied | CallErrorKind::Refused => Exit::Refused,
                CallErrorKind::Transport
                | CallErrorKind::RateLimited
                | CallErrorKind::Maintenance
                | CallErrorKind::Unreadable => Exit::Unavailable,
            },
            Self::System { .. } => Exit::System,
        }
    }

    /// The error as one JSON object, for standard error.
    pub fn to_json(&self) -> Value {
        let exit = self.exit();
        let mut error = json!({
            "kind": exit.as_str(),
            "exit": exit.code(),
            "message": self.to_string(),
        });
        if let Self::Call(CallError {
            answer: Some(answer),
            ..
        }) = self
        {
            error["answer"] = crate::output::answer(answer);
        }
        json!({ "error": error })
    }
}
