//! Recharge in one dependency: re-exports of the workspace's crates, chosen by feature.
