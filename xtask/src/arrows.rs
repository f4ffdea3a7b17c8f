//! Which crate may use which. `cargo xtask tidy` fails on any other arrow, and
//! `docs/generated/crates.md` is drawn from this table.

/// A crate and what it stands on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layer {
    /// The crate.
    pub(crate) name: &'static str,
    /// How high it stands; an arrow points to a lower one.
    pub(crate) height: u8,
    /// The members that its code may use.
    pub(crate) uses: &'static [&'static str],
    /// What it is for, in one line.
    pub(crate) purpose: &'static str,
}

/// The suites. Files in `tests/` use them, and nothing else does.
pub(crate) const SUITES: &str = "recharge-conformance";

/// Suites and simulator: any crate's tests may use them, whatever their height.
pub(crate) const FOR_TESTS: &[&str] = &[SUITES, "recharge-sim"];

/// The adapters. They never know each other, and they have the same file names.
pub(crate) const ADAPTERS: &[&str] = &["recharge-juhe", "recharge-jisu"];

/// Every member, bottom up.
pub(crate) const LAYERS: &[Layer] = &[
    Layer {
        name: "recharge-core",
        height: 0,
        uses: &[],
        purpose: "domain types: money, account, ids, states, outcomes, the Provider trait",
    },
    Layer {
        name: "recharge-sign",
        height: 0,
        uses: &[],
        purpose: "pure signing and verifying functions, no_std",
    },
    Layer {
        name: "recharge-http",
        height: 1,
        uses: &["recharge-core"],
        purpose: "the Transport trait; reqwest and hyper behind features",
    },
    Layer {
        name: "recharge-engine",
        height: 1,
        uses: &["recharge-core"],
        purpose: "the order lifecycle: one pure step function, its driver, and the Store trait",
    },
    Layer {
        name: "recharge-store",
        height: 2,
        uses: &["recharge-core", "recharge-engine"],
        purpose: "where orders are kept: the engine's store on SQLite",
    },
    Layer {
        name: "recharge-sim",
        height: 1,
        uses: &["recharge-core"],
        purpose: "simulator of both upstreams, with faults and a ledger; its own wire code and MD5 check, so that a bug shared with the adapters can't cancel out",
    },
    Layer {
        name: "recharge-juhe",
        height: 2,
        uses: &["recharge-core", "recharge-sign", "recharge-http"],
        purpose: "adapter for Juhe (聚合数据)",
    },
    Layer {
        name: "recharge-jisu",
        height: 2,
        uses: &["recharge-core", "recharge-sign", "recharge-http"],
        purpose: "adapter for Jisu (极速数据)",
    },
    Layer {
        name: SUITES,
        height: 3,
        uses: &[
            "recharge-core",
            "recharge-http",
            "recharge-engine",
            "recharge-sim",
        ],
        purpose: "the suites that every provider, every transport and every store must pass",
    },
    Layer {
        name: "recharge",
        height: 4,
        uses: &[
            "recharge-core",
            "recharge-sign",
            "recharge-http",
            "recharge-juhe",
            "recharge-jisu",
            "recharge-engine",
            "recharge-store",
        ],
        purpose: "facade: re-exports; features pick adapters, transports and the store",
    },
    Layer {
        name: "recharge-batch",
        height: 2,
        uses: &["recharge-core", "recharge-engine"],
        purpose: "files of orders: read and checked as a whole, whatever a spreadsheet did to them",
    },
    Layer {
        name: "recharge-gateway",
        height: 3,
        uses: &[
            "recharge-core",
            "recharge-sign",
            "recharge-http",
            "recharge-engine",
            "recharge-store",
            "recharge-batch",
        ],
        purpose: "the engine as a service: HTTP, the upstreams' own protocols, callbacks in, webhooks out",
    },
    Layer {
        name: "recharge-cli",
        height: 4,
        uses: &[
            "recharge-batch",
            "recharge-gateway",
            "recharge-core",
            "recharge-sign",
            "recharge-http",
            "recharge-juhe",
            "recharge-jisu",
            "recharge-engine",
            "recharge-store",
            "recharge-sim",
        ],
        purpose: "the `recharge` command",
    },
    Layer {
        name: "recharge-crash",
        height: 0,
        uses: &[],
        purpose: "kills the command, fails its disk, and judges by the ledger; it shares nothing with what it judges",
    },
    Layer {
        name: "recharge-planted",
        height: 0,
        uses: &[],
        purpose: "the switch of the planted bugs, which are in a copy of the workspace only",
    },
    Layer {
        name: "recharge-proof",
        height: 4,
        uses: &[
            "recharge-core",
            "recharge-http",
            "recharge-juhe",
            "recharge-jisu",
            "recharge-planted",
            "recharge-engine",
            "recharge-sim",
        ],
        purpose: "simulated lives of orders in virtual time, judged by the ledger, and the search of all of them where the space is small",
    },
    Layer {
        name: "recharge-fuzz",
        height: 5,
        uses: &[
            "recharge-batch",
            "recharge-core",
            "recharge-sign",
            "recharge-http",
            "recharge-juhe",
            "recharge-jisu",
            "recharge-engine",
            "recharge-sim",
            "recharge-cli",
        ],
        purpose: "laws for everything that reads what others wrote, and the programs that fuzz it",
    },
    Layer {
        name: "xtask",
        height: 5,
        uses: &[
            "recharge-core",
            "recharge-http",
            "recharge-juhe",
            "recharge-jisu",
            "recharge-gateway",
            "recharge-cli",
            "recharge-crash",
        ],
        purpose: "the project's own tasks; it reads code tables, commands and the gateway's description to write docs from them",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_arrow_points_down_to_a_crate_of_the_table() {
        for layer in LAYERS {
            for used in layer.uses {
                let below = LAYERS.iter().find(|other| other.name == *used);
                assert!(
                    below.is_some_and(|below| below.height < layer.height),
                    "{} -> {used}",
                    layer.name
                );
            }
        }
    }

    #[test]
    fn the_adapters_stand_side_by_side() {
        let heights: Vec<_> = LAYERS
            .iter()
            .filter(|layer| ADAPTERS.contains(&layer.name))
            .map(|layer| layer.height)
            .collect();
        assert_eq!(
            heights,
            [2, 2],
            "neither may use the other, in tests either"
        );
    }
}
