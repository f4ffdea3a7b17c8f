//! [`StoreUrl`]: the store as configuration names it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where the store is, as `[store] url` says it: `sqlite:PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreUrl {
    /// One SQLite file. A relative path is one from the working directory.
    Sqlite(PathBuf),
}

/// Why a text is not the address of a store. It doesn't repeat the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreUrlError {
    /// No scheme that is known here.
    #[error("a store is written as sqlite:PATH, such as sqlite:recharge.sqlite")]
    Scheme,
    /// No path.
    #[error("sqlite: is followed by the path of the file, such as sqlite:recharge.sqlite")]
    NoPath,
    /// Two slashes: a host could be meant, and SQLite has none.
    #[error("a file has no host: write sqlite:/absolute/path or sqlite:relative/path")]
    Host,
    /// A name that means something else to SQLite.
    #[error("the store must be a file: it can't be in memory, and it takes no parameters")]
    NotAFile,
}

impl StoreUrl {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, StoreUrlError> {
        let path = text.strip_prefix("sqlite:").ok_or(StoreUrlError::Scheme)?;
        match path {
            "" => Err(StoreUrlError::NoPath),
            _ if path.starts_with("//") => Err(StoreUrlError::Host),
            _ if path.starts_with(':') || path.contains(['?', '#', '\0']) => {
                Err(StoreUrlError::NotAFile)
            }
            _ if path.ends_with('/') => Err(StoreUrlError::NoPath),
            _ => Ok(Self::Sqlite(Path::new(path).to_owned())),
        }
    }
}

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(text: &str) -> Result<Self, StoreUrlError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_as_it_is() {
        for path in ["recharge.sqlite", "/var/lib/re charge/a.db", "../a"] {
            assert_eq!(
                StoreUrl::parse(&format!("sqlite:{path}")),
                Ok(StoreUrl::Sqlite(path.into()))
            );
        }
    }

    #[test]
    fn what_is_no_file_is_refused_with_what_to_write() {
        for (text, error) in [
            ("recharge.sqlite", StoreUrlError::Scheme),
            ("postgres://user:secret@host/db", StoreUrlError::Scheme),
            ("SQLITE:a", StoreUrlError::Scheme),
            ("sqlite:", StoreUrlError::NoPath),
            ("sqlite:data/", StoreUrlError::NoPath),
            ("sqlite://host/path", StoreUrlError::Host),
            ("sqlite::memory:", StoreUrlError::NotAFile),
            ("sqlite:a.db?mode=ro", StoreUrlError::NotAFile),
        ] {
            assert_eq!(StoreUrl::parse(text), Err(error), "{text}");
            assert!(!error.to_string().contains("secret"));
        }
    }
}
