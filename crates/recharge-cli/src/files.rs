//! How many files the service may have open, and how many connections of clients fit into that.
//!
//! Each connection is an open file. A service that takes more of them than the system lets it has none left for
//! its calls to the upstreams, and none for its store.

use recharge_engine::driver::Setup;
use recharge_gateway::webhooks;

use crate::error::CliError;

/// What the store and its readers, the logs, the clock and the libraries have open, with room for the calls that
/// clients' own questions to the upstreams are.
const OWN: usize = 128;

/// Raises the limit of open files as far as it goes without asking the administrator. Answers what it is then;
/// `None`: there is none.
#[cfg(unix)]
pub(crate) fn raise() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Some systems name a hard limit that they don't grant; then the soft one holds.
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    now.map(|it| usize::try_from(it).unwrap_or(usize::MAX))
}

/// This system has no such limit.
#[cfg(not(unix))]
pub(crate) const fn raise() -> Option<usize> {
    None
}

/// How many files are open beside the connections of clients, when all is busy: calls to the upstreams, notices
/// to merchants, and its own.
pub(crate) fn beside(setup: &Setup) -> usize {
    let calls = 2 * setup.limits.in_flight.max(1) * setup.providers.len();
    OWN + calls + webhooks::AT_ONCE
}

/// How many connections there can be, of those that are wanted; and what to tell, if it is fewer.
///
/// # Errors
///
/// When there could be none.
pub(crate) fn fit(
    wanted: usize,
    limit: Option<usize>,
    beside: usize,
) -> Result<(usize, Option<String>), CliError> {
    let Some(limit) = limit else {
        return Ok((wanted, None));
    };
    let needed = wanted.saturating_add(beside);
    if limit >= needed {
        return Ok((wanted, None));
    }
    let how = format!(
        "raise the limit to {needed}, such as by `ulimit -n {needed}` or LimitNOFILE={needed} in the systemd unit"
    );
    match limit.saturating_sub(beside) {
        0 => Err(CliError::unusable(format!(
            "this process may have {limit} files open, and takes {beside} beside the connections of clients: {how}; or lower limits.in_flight"
        ))),
        connections => {
            let text = format!(
                "{connections} connections at a time are served, not {wanted}: this process may have {limit} files open, of which {beside} are for the upstreams, the notices and the store; {how}"
            );
            Ok((connections, Some(text)))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_fit_and_never_none() {
        for (limit, expected) in [
            (None, 10_000),
            (Some(10_200), 10_000),
            (Some(10_199), 9_999),
            (Some(201), 1),
        ] {
            let (connections, told) = fit(10_000, limit, 200).unwrap();
            assert_eq!(connections, expected);
            assert_eq!(told.is_some(), expected < 10_000, "{told:?}");
        }
        for limit in [200, 0] {
            let error = fit(10_000, Some(limit), 200).unwrap_err().to_string();
            assert!(error.contains("LimitNOFILE=10200"), "{error}");
        }
    }
}
