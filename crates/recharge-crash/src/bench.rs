//! A round's folder: the orders, the configuration, the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::Result;
use crate::books::{self, Books};
use crate::orders::{self, Wanted};
use crate::upstream::{KEY, Upstream};

/// How long things take in a run, and how the simulator behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The simulator's scenario.
    pub(crate) scenario: &'static str,
    /// The tables `[http]`, `[lifecycle]` and `[limits]` of the configuration.
    pub(crate) config: &'static str,
}

/// A round's folder, with the simulator beside it.
#[derive(Debug)]
pub(crate) struct Bench {
    folder: TempDir,
    /// The command.
    pub(crate) recharge: PathBuf,
    pub(crate) upstream: Upstream,
    /// Every order of the round. A life may be given fewer.
    pub(crate) wanted: Vec<Wanted>,
    /// What was acknowledged so far.
    pub(crate) acknowledged: BTreeSet<String>,
}

impl Bench {
    /// Makes the folder and starts the simulator.
    pub(crate) fn set_up(recharge: &Path, pace: Pace, count: usize, seed: u64) -> Result<Self> {
        Self::with_service(recharge, pace, count, seed, None)
    }

    /// The same, where the command is to listen at an address.
    pub(crate) fn with_service(
        recharge: &Path,
        pace: Pace,
        count: usize,
        seed: u64,
        listen: Option<SocketAddr>,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let scenario = folder.path().join("scenario.toml");
        fs::write(&scenario, pace.scenario)?;
        let upstream = Upstream::start(recharge, &scenario, seed, listen)?;
        let url = upstream.url();
        let mut config = format!(
            "[juhe]\napp_key = \"{KEY}\"\nopen_id = \"{KEY}\"\nbase_url = \"{url}\"\n\
             [jisu]\napp_key = \"{KEY}\"\napp_secret = \"{KEY}\"\nbase_url = \"{url}\"\n{}",
            pace.config
        );
        if let Some(listen) = listen {
            config.extend(["[server]\nlisten = \"", &listen.to_string(), "\"\n"]);
        }
        fs::write(folder.path().join("recharge.toml"), config)?;
        let bench = Self {
            folder,
            recharge: recharge.to_owned(),
            upstream,
            wanted: orders::orders(count, seed),
            acknowledged: BTreeSet::new(),
        };
        bench.hand_in(count)?;
        Ok(bench)
    }

    /// Lets the next life see the first `count` orders.
    pub(crate) fn hand_in(&self, count: usize) -> Result<()> {
        let orders = self.wanted.get(..count).unwrap_or(&self.wanted);
        fs::write(self.orders(), orders::file(orders))?;
        Ok(())
    }

    pub(crate) fn orders(&self) -> PathBuf {
        self.folder.path().join("orders.csv")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("recharge.toml")
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.folder.path().join("recharge.sqlite")
    }

    pub(crate) fn result(&self) -> PathBuf {
        self.folder.path().join("result.csv")
    }

    /// What strace wrote.
    pub(crate) fn trace(&self) -> PathBuf {
        self.folder.path().join("trace")
    }

    /// What the file holds. Nobody may be writing it.
    pub(crate) fn books(&self) -> Result<Books> {
        books::read(&books::copy(&self.db(), self.folder.path())?)
    }

    /// What the result says of each order.
    pub(crate) fn told(&self) -> Result<BTreeMap<String, String>> {
        let mut told = BTreeMap::new();
        let mut reader = csv::Reader::from_path(self.result())?;
        for row in reader.records() {
            let row = row?;
            if let (Some(id), Some(state)) = (row.get(0), row.get(1)) {
                told.insert(id.to_owned(), state.to_owned());
            }
        }
        Ok(told)
    }

    /// Leaves the folder where it is, to be looked at.
    pub(crate) fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}
