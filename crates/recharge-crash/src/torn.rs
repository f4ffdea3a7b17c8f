//! Logs that were cut off: each must hold a past of the whole.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::bench::Bench;
use crate::books::{self, beside};
use crate::parallel::in_parallel;
use crate::{Result, wal};

/// Cuts copies of the log off, and looks whether they hold a past of the whole.
pub(crate) fn torn(bench: &Bench) -> Result<(usize, Vec<String>)> {
    let orders = bench.wanted.len();
    let cuts = wal::cuts(&beside(&bench.db(), "-wal"))?;
    // The command itself opens what ends with a commit; all that follows is the same to it until the next.
    let whole = cuts.boundaries.iter();
    let whole = whole.map(|length| (*length, cuts.commits.contains(length)));
    let inside = cuts.inside.iter().map(|length| (*length, false));
    let all: Vec<(u64, bool)> = whole.chain(inside).collect();
    let looked = in_parallel(&all, 1, |(length, by_command)| {
        cut(bench, *length, *by_command).map_err(|error| format!("cut off at {length}: {error}"))
    });
    let mut found = BTreeMap::new();
    let mut complaints = Vec::new();
    for (at, looked) in looked {
        match looked {
            Ok((kept, wrong)) => {
                let length = all.get(at).map_or(0, |(length, _)| *length);
                found.insert(length, kept);
                let line = |what| format!("cut off at {length}: {what}");
                complaints.extend(wrong.into_iter().map(line));
            }
            Err(error) => complaints.push(error),
        }
    }
    if !found.values().is_sorted() {
        complaints.push("a longer log holds fewer orders than a shorter one".to_owned());
    }
    if found.values().next() == Some(&orders) || found.values().last() != Some(&orders) {
        complaints.push("the log does not come to hold every order".to_owned());
    }
    Ok((found.len(), complaints))
}

/// How many orders a log that was cut off holds, and what is wrong with it.
fn cut(bench: &Bench, length: u64, by_command: bool) -> Result<(usize, Vec<String>)> {
    let folder = tempfile::tempdir()?;
    let copy = books::copy_cut(&bench.db(), folder.path(), length)?;
    let books = books::read(&copy)?;
    let mut wrong = books.problems;
    // Before the tables are there it is a file of nobody's.
    if by_command && !books.orders.is_empty() {
        let copy = books::copy_cut(&bench.db(), folder.path(), length)?;
        wrong.extend(opens(bench, &copy)?);
    }
    Ok((books.orders.len(), wrong))
}

fn opens(bench: &Bench, copy: &Path) -> Result<Option<String>> {
    let listed = Command::new(&bench.recharge)
        .args(["orders", "--json", "--config"])
        .arg(bench.config())
        .arg("--db")
        .arg(copy)
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&listed.stderr).into_owned();
    Ok((!listed.status.success()).then(|| format!("the command can't read it: {said}")))
}
