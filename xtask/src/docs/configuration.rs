//! `configuration.md`: the documented configuration file, as `recharge config template` prints it.

use crate::project::{Project, Result};

#[expect(clippy::unnecessary_wraps, reason = "all pages have one signature")]
pub(super) fn page(_: &Project) -> Result<String> {
    Ok(format!(
        "# Configuration\n\n\
         What `recharge config template` prints: every key, with its default where it has one. The file is `recharge.toml`, \
         or what `--config` or `RECHARGE_CONFIG` names; variables of the environment go before it. An \
         unknown key is an error that names the nearest right one.\n\n```toml\n{}\n```\n",
        recharge_cli::config::TEMPLATE.trim_end()
    ))
}
