//! `openapi.json`: the description of the gateway's interface, as `GET /openapi.json` answers it.

use crate::project::{Project, Result};

pub(super) fn page(_: &Project) -> Result<String> {
    Ok(recharge_gateway::routes::description().to_pretty_json()?)
}
