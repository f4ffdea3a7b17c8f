//! Keys, and where merchants are told.

use std::fmt;

use recharge_core::MerchantId;
use recharge_engine::WallTime;
use rusqlite::{ErrorCode, OptionalExtension, Row, params};

use super::{Registry, RegistryError, Result, commit, error};
use crate::sqlite::nonsense;

/// What a key of the gateway's own interface allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// To place orders.
    Submit,
    /// To see orders.
    Read,
    /// To settle them: the merchant's own.
    Operate,
}

impl Scope {
    /// All.
    pub const ALL: [Self; 3] = [Self::Submit, Self::Read, Self::Operate];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }

    /// The scope of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Submit => 1,
            Self::Read => 2,
            Self::Operate => 4,
        }
    }
}

/// Some scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// Whether this one is among them.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn parse(text: &str) -> Option<Self> {
        let names = text.split(',').filter(|name| !name.is_empty());
        names.map(Scope::parse).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |all, scope| all | scope.bit()))
    }
}

/// Their names, with commas between.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for scope in Scope::ALL.into_iter().filter(|scope| self.has(*scope)) {
            if !std::mem::take(&mut first) {
                f.write_str(",")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

/// What a key speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The gateway's own interface.
    Api,
    /// Juhe's protocol.
    Juhe,
    /// Jisu's protocol.
    Jisu,
}

impl KeyKind {
    /// All.
    pub const ALL: [Self; 3] = [Self::Api, Self::Juhe, Self::Jisu];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Juhe => "juhe",
            Self::Jisu => "jisu",
        }
    }
}

/// A key as it is kept. `Debug` shows no secret, neither hashed nor sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// By which it is found: the open part of a key, or an app key.
    pub id: String,
    /// Whose it is.
    pub merchant: MerchantId,
    /// What it speaks.
    pub kind: KeyKind,
    /// The hash of its secret part; or the secret, sealed under the master key.
    pub secret: Vec<u8>,
    /// What it allows.
    pub scopes: Scopes,
    /// The person who has it, where its bearer decides. Two keys of one person are one person.
    pub person: Option<String>,
    /// Where a shop that speaks an upstream's protocol hears of its orders.
    pub callback_url: Option<String>,
    /// When it was made.
    pub created: WallTime,
    /// Since when it is void.
    pub revoked: Option<WallTime>,
    /// When it was last used, to the minute or so.
    pub used: Option<WallTime>,
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredKey")
            .field("id", &self.id)
            .field("merchant", &self.merchant)
            .field("kind", &self.kind)
            .field("scopes", &self.scopes)
            .field("person", &self.person)
            .field("revoked", &self.revoked)
            .finish_non_exhaustive()
    }
}

/// Where a merchant is told what becomes of its orders. `Debug` shows neither address nor secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whose it is.
    pub merchant: MerchantId,
    /// The address of orders that name none; `None`: only orders that name one are told of.
    pub url: Option<String>,
    /// What signs, sealed under the master key.
    pub secret: Vec<u8>,
    /// When it was set.
    pub changed: WallTime,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("merchant", &self.merchant)
            .finish_non_exhaustive()
    }
}

const COLUMNS: &str =
    "id, merchant, kind, secret, scopes, person, callback_url, created, revoked, used";

impl Registry {
    /// Keeps a new key.
    pub fn add_key(&self, key: &StoredKey) -> Result<()> {
        self.change(|transaction| {
            let added = transaction.execute(
                &format!(
                    "INSERT INTO keys ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
                ),
                params![
                    key.id,
                    key.merchant.as_str(),
                    key.kind.as_str(),
                    key.secret,
                    key.scopes.to_string(),
                    key.person,
                    key.callback_url,
                    key.created.millis(),
                    key.revoked.map(WallTime::millis),
                    key.used.map(WallTime::millis),
                ],
            );
            match added {
                Ok(_) => Ok(()),
                Err(it) if it.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    Err(RegistryError::Exists("key"))
                }
                Err(it) => Err(error(it)),
            }
        })
    }

    /// The key of that id, revoked or not.
    pub fn key(&self, id: &str) -> Result<Option<StoredKey>> {
        self.lock()
            .prepare_cached(&format!("SELECT {COLUMNS} FROM keys WHERE id = ?1"))
            .and_then(|mut it| it.query_row([id], key).optional())
            .map_err(error)
    }

    /// All keys, or those of a merchant, in the order in which they were made.
    pub fn keys(&self, merchant: Option<&MerchantId>) -> Result<Vec<StoredKey>> {
        let merchant = merchant.map(MerchantId::as_str);
        self.lock()
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM keys WHERE ?1 IS NULL OR merchant = ?1 ORDER BY created, id"
            ))
            .and_then(|mut it| it.query_map([merchant], key)?.collect())
            .map_err(error)
    }

    /// Makes a key void; answers whether there is one. One that is void already stays so since then.
    pub fn revoke_key(&self, id: &str, at: WallTime) -> Result<bool> {
        self.change(|transaction| {
            let changed = transaction
                .execute(
                    "UPDATE keys SET revoked = coalesce(revoked, ?2) WHERE id = ?1",
                    (id, at.millis()),
                )
                .map_err(error)?;
            Ok(changed > 0)
        })
    }

    /// Notes when keys were last used.
    pub fn keys_used(&self, used: &[(String, WallTime)]) -> Result<()> {
        self.write(|transaction| {
            let mut update = transaction
                .prepare_cached("UPDATE keys SET used = max(coalesce(used, 0), ?2) WHERE id = ?1")
                .map_err(error)?;
            for (id, at) in used {
                update.execute((id, at.millis())).map_err(error)?;
            }
            Ok(())
        })
    }

    /// Sets where a merchant is told, in place of what held before.
    pub fn set_endpoint(&self, endpoint: &Endpoint) -> Result<()> {
        self.change(|transaction| {
            transaction
                .execute(
                    "INSERT INTO endpoints (merchant, url, secret, changed) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (merchant) DO UPDATE
                     SET url = excluded.url, secret = excluded.secret, changed = excluded.changed",
                    params![
                        endpoint.merchant.as_str(),
                        endpoint.url,
                        endpoint.secret,
                        endpoint.changed.millis()
                    ],
                )
                .map_err(error)?;
            Ok(())
        })
    }

    /// Where each merchant is told.
    pub fn endpoints(&self) -> Result<Vec<Endpoint>> {
        self.lock()
            .prepare_cached(
                "SELECT merchant, url, secret, changed FROM endpoints ORDER BY merchant",
            )
            .and_then(|mut it| {
                let rows = it.query_map([], |row| {
                    Ok(Endpoint {
                        merchant: merchant(row, 0)?,
                        url: row.get(1)?,
                        secret: row.get(2)?,
                        changed: WallTime::from_millis(row.get(3)?),
                    })
                })?;
                rows.collect()
            })
            .map_err(error)
    }

    /// Replaces every sealed secret, all or none: for another master key. `seal` is given what a secret
    /// is for, `key:` and the id of a key or `endpoint:` and a merchant, and what is kept.
    pub fn reseal<E>(
        &self,
        mut seal: impl FnMut(&str, &[u8]) -> std::result::Result<Vec<u8>, E>,
    ) -> Result<std::result::Result<usize, E>> {
        const SEALED: [(&str, &str, &str); 2] = [
            ("key", "id", "WHERE kind <> 'api'"),
            ("endpoint", "merchant", ""),
        ];
        let mut connection = self.lock();
        let transaction = connection.transaction().map_err(error)?;
        let mut count = 0;
        for (what, name, which) in SEALED {
            let table = format!("{what}s");
            let rows: Vec<(String, Vec<u8>)> = transaction
                .prepare(&format!("SELECT {name}, secret FROM {table} {which}"))
                .and_then(|mut it| {
                    let rows = it.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                    rows.collect()
                })
                .map_err(error)?;
            for (id, secret) in rows {
                let sealed = match seal(&format!("{what}:{id}"), &secret) {
                    Ok(sealed) => sealed,
                    Err(error) => return Ok(Err(error)),
                };
                transaction
                    .execute(
                        &format!("UPDATE {table} SET secret = ?2 WHERE {name} = ?1"),
                        (&id, &sealed),
                    )
                    .map_err(error)?;
                count += 1;
            }
        }
        transaction
            .execute("UPDATE access SET generation = generation + 1", [])
            .map_err(error)?;
        commit(transaction)?;
        Ok(Ok(count))
    }
}

fn key(row: &Row<'_>) -> rusqlite::Result<StoredKey> {
    let kind = row.get::<_, String>(2)?;
    let kind = KeyKind::ALL.into_iter().find(|it| it.as_str() == kind);
    let scopes = Scopes::parse(&row.get::<_, String>(4)?);
    let time = |at| row.get::<_, Option<i64>>(at);
    Ok(StoredKey {
        id: row.get(0)?,
        merchant: merchant(row, 1)?,
        kind: kind.ok_or_else(|| nonsense("no kind of key"))?,
        secret: row.get(3)?,
        scopes: scopes.ok_or_else(|| nonsense("no scope"))?,
        person: row.get(5)?,
        callback_url: row.get(6)?,
        created: WallTime::from_millis(row.get(7)?),
        revoked: time(8)?.map(WallTime::from_millis),
        used: time(9)?.map(WallTime::from_millis),
    })
}

pub(super) fn merchant(row: &Row<'_>, at: usize) -> rusqlite::Result<MerchantId> {
    MerchantId::parse(&row.get::<_, String>(at)?).map_err(nonsense)
}
