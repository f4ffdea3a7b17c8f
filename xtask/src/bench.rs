//! Every goal of performance in one table.
//!
//! A bench target of ours prints one line a row: `bench NAME KEY=VALUE goal<=LIMIT ok`, or `goal>=`, and
//! another last word for a goal that is not reached. The verdict printed here is worked out again from
//! the numbers, and the bench's own may only make it worse. The word for a missed goal stands in the row
//! and nowhere else, so that it can be searched.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

use crate::project::{Project, Result};
use crate::{run, tree};

/// How long a cold build of the README's first command may take, in seconds.
const COLD_BUILD: f64 = 180.0;
/// The word for a goal that is not reached.
const MISSED: &str = "MISSED";

/// Runs every bench and prints the table. `false` when a goal is missed or a bench fails.
pub(crate) fn run(project: &Project, long: bool) -> Result<bool> {
    let begun = Instant::now();
    let mut rows = Vec::new();
    let mut troubles = Vec::new();
    for count in tree::counts(project)? {
        rows.push(Row {
            name: count.limit.row.to_owned(),
            key: "crates".to_owned(),
            value: exact(count.crates),
            goal: Goal::AtMost(exact(count.at_most())),
            said_missed: false,
        });
        if !count.unwanted.is_empty() {
            let unwanted = count.unwanted.join(", ");
            troubles.push(format!("{} carries {unwanted}", count.limit.row));
        }
    }
    benches(project, long, &mut rows, &mut troubles)?;
    if long {
        rows.push(cold_build(project)?);
    }

    println!("\n{}", table(&rows));
    for trouble in &troubles {
        println!("bench: {trouble}");
    }
    let missed = rows.iter().filter(|row| !row.is_reached()).count();
    println!(
        "bench: {} goals, {missed} not reached, {} troubles, {:.0} s",
        rows.len(),
        troubles.len(),
        begun.elapsed().as_secs_f32()
    );
    Ok(missed == 0 && troubles.is_empty())
}

/// Runs all bench targets in one cargo call, so that nothing is built twice with other features.
fn benches(
    project: &Project,
    long: bool,
    rows: &mut Vec<Row>,
    troubles: &mut Vec<String>,
) -> Result<()> {
    let mut command = run::cargo(project);
    if long {
        command.env("LONG", "1");
    }
    command.args(["bench", "--workspace", "--all-features", "--no-fail-fast"]);
    let names: Vec<&str> = project
        .members
        .iter()
        .flat_map(|member| &member.benches)
        .map(String::as_str)
        .collect();
    if names.is_empty() {
        troubles.push("there is no bench target".to_owned());
        return Ok(());
    }
    for name in names {
        command.args(["--bench", name]);
    }
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().ok_or("cargo bench has no output")?;
    for line in BufReader::new(stdout).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        match Row::read(&line) {
            Some(Ok(row)) => rows.push(row),
            Some(Err(trouble)) => troubles.push(trouble),
            // A remark of the bench; the word must not come by this way.
            None => println!("{}", line.replace(MISSED, "missed")),
        }
    }
    // A bench with a missed goal fails too, and its row says why.
    let said = rows.iter().any(|row| row.said_missed);
    if !child.wait()?.success() && !said {
        troubles.push("cargo bench failed: its own message stands above".to_owned());
    }
    Ok(())
}

/// Builds what the README's first command needs, from nothing, with everything fetched before.
fn cold_build(project: &Project) -> Result<Row> {
    let fetched = run::status(run::cargo(project).args(["fetch", "--locked"]))?;
    if !fetched.success() {
        return Err("cargo fetch failed".into());
    }
    let target = tempfile::tempdir()?;
    let begun = Instant::now();
    let built = run::status(
        run::cargo(project)
            .args(["build", "--locked", "--offline"])
            .env("CARGO_TARGET_DIR", target.path()),
    )?;
    if !built.success() {
        return Err("cargo build failed".into());
    }
    Ok(Row {
        name: "build.cold".to_owned(),
        key: "seconds".to_owned(),
        value: begun.elapsed().as_secs_f64(),
        goal: Goal::AtMost(COLD_BUILD),
        said_missed: false,
    })
}

/// One goal and what was measured.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    name: String,
    /// What the value is: a ratio, a count, seconds.
    key: String,
    value: f64,
    goal: Goal,
    /// Whether the bench itself, which knows more places than it prints, calls the goal missed.
    said_missed: bool,
}

/// What the value is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Row {
    /// Reads a bench's line; `None` for a line that is none.
    fn read(line: &str) -> Option<std::result::Result<Self, String>> {
        let words: Vec<&str> = line.strip_prefix("bench ")?.split_whitespace().collect();
        let row = Self::from_words(&words).ok_or_else(|| {
            let shown = line.replace(MISSED, "missed");
            format!(
                "can't read the row `{shown}`: it is `bench NAME KEY=VALUE goal<=LIMIT VERDICT`"
            )
        });
        Some(row)
    }

    fn from_words(words: &[&str]) -> Option<Self> {
        let [name, value, goal, verdict] = words else {
            return None;
        };
        let (key, value) = value.split_once('=')?;
        let goal = goal.strip_prefix("goal")?;
        let goal = match (goal.strip_prefix("<="), goal.strip_prefix(">=")) {
            (Some(most), _) => Goal::AtMost(number(most)?),
            (None, Some(least)) => Goal::AtLeast(number(least)?),
            (None, None) => return None,
        };
        let row = Self {
            name: (*name).to_owned(),
            key: key.to_owned(),
            value: number(value)?,
            goal,
            said_missed: *verdict == MISSED,
        };
        (row.said_missed || *verdict == "ok").then_some(row)
    }

    /// A goal is reached when the numbers say so and the bench does not deny it.
    fn is_reached(&self) -> bool {
        let reached = match self.goal {
            Goal::AtMost(most) => self.value <= most,
            Goal::AtLeast(least) => self.value >= least,
        };
        reached && !self.said_missed
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "<= {}", short(*most)),
            Self::AtLeast(least) => write!(f, ">= {}", short(*least)),
        }
    }
}

/// A finite number.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

#[expect(clippy::cast_precision_loss, reason = "counts of crates are small")]
const fn exact(count: usize) -> f64 {
    count as f64
}

/// Three places where there are any.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The rows, sorted by name, in columns.
fn table(rows: &[Row]) -> String {
    let mut sorted: Vec<&Row> = rows.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let width = sorted.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let lines = sorted.into_iter().map(|row| {
        let verdict = if row.is_reached() { "ok" } else { MISSED };
        format!(
            "{:<width$}  {:<8} {:>10}  {:<10} {verdict}",
            row.name,
            row.key,
            short(row.value),
            row.goal.to_string(),
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Row {
        Row::read(line).unwrap().unwrap()
    }

    #[test]
    fn a_row_is_read_and_judged_by_its_numbers() {
        assert!(read("bench sign.parts ratio=1.04 goal<=1.08 ok").is_reached());
        assert!(!read("bench sign.parts ratio=1.09 goal<=1.08 MISSED").is_reached());
        assert!(read("bench call ratio=0.85 goal>=0.85 ok").is_reached());
        assert!(!read("bench allocations count=1 goal<=0 MISSED").is_reached());
        assert!(!read("bench sign.parts ratio=1.09 goal<=1.08 ok").is_reached());
        let rounded = read("bench sign.parts ratio=1.08 goal<=1.08 MISSED");
        assert!(!rounded.is_reached(), "1.084 is printed as 1.08");
    }

    #[test]
    fn a_row_that_can_not_be_read_is_trouble() {
        for line in [
            "bench sign.parts ratio=1.04 goal<=1.08",
            "bench sign.parts ratio=NaN goal<=1.08 ok",
            "bench sign.parts 1.04 goal<=1.08 ok",
            "bench sign.parts ratio=1.04 goal=1.08 ok",
            "bench sign.parts ratio=1.04 goal<=1.08 fine",
        ] {
            let trouble = Row::read(line).unwrap().unwrap_err();
            assert!(!trouble.contains(MISSED), "{trouble}");
        }
        assert_eq!(Row::read("running 3 benches"), None);
    }

    #[test]
    fn the_table_names_a_missed_goal_once_and_no_other() {
        let rows = [
            read("bench b ratio=2 goal<=1.08 MISSED"),
            read("bench a ratio=0.5 goal<=0.6 ok"),
            read("bench b ratio=1 goal<=1.08 ok"),
        ];
        let table = table(&rows);
        assert_eq!(table.matches(MISSED).count(), 1);
        let ends: Vec<_> = table
            .lines()
            .map(|line| (line.get(..1), line.split_whitespace().last()))
            .collect();
        let row = |name, verdict| (Some(name), Some(verdict));
        assert_eq!(
            ends,
            [row("a", "ok"), row("b", MISSED), row("b", "ok")],
            "a name that comes twice hides no row"
        );
    }
}
