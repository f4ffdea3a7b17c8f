//! Why an adapter's typed call gave no answer.

use http::StatusCode;
use recharge_core::{CallError, CallErrorKind};

use crate::judge::{Envelope, Exchange};
use crate::read::{ReadError, read};
use crate::{Certainty, TransportError};

/// Why a typed call gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The input has not the form that the upstream documents. Nothing was sent.
    #[error("{0}")]
    Input(&'static str),
    /// The request can't be built. Nothing was sent.
    #[error("the request can't be built: mend the base URL or path")]
    Request(#[source] http::Error),
    /// No whole answer. Its [`certainty`](TransportError::certainty) says whether bytes may have gone.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A status other than 200.
    #[error("HTTP status {0} instead of 200")]
    Status(StatusCode),
    /// An answer that can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl ClientError {
    /// Reads the answer of an exchange.
    pub fn read<E: Envelope>(exchange: Exchange) -> Result<E, Self> {
        let response = exchange?;
        if response.status() != StatusCode::OK {
            return Err(Self::Status(response.status()));
        }
        Ok(read(response.body())?)
    }

    /// Whether it is known that nothing was sent.
    pub const fn certainty(&self) -> Certainty {
        match self {
            Self::Input(_) | Self::Request(_) => Certainty::NotSent,
            Self::Transport(error) => error.certainty(),
            Self::Status(_) | Self::Read(_) => Certainty::MaybeSent,
        }
    }
}

impl From<ClientError> for CallError {
    fn from(error: ClientError) -> Self {
        let kind = match error {
            ClientError::Input(_) | ClientError::Request(_) => CallErrorKind::Refused,
            ClientError::Transport(_) | ClientError::Status(_) => CallErrorKind::Transport,
            ClientError::Read(_) => CallErrorKind::Unreadable,
        };
        Self::new(kind, error.to_string())
    }
}
