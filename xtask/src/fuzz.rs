//! The fuzz targets of `crates/fuzz`: built once, then run two at a time, each on a copy of its corpus.

use std::fs::{self, File};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::project::{Project, Result};
use crate::run;

/// Where they are.
const DIR: &str = "crates/fuzz";

/// How the targets are built: stable Rust, counters of edges, overflow and debug assertions checked. Without
/// following comparisons it is many times as fast; dictionaries make up for it.
const BUILD: &[&str] = &[
    "fuzz",
    "build",
    "--fuzz-dir",
    DIR,
    "--sanitizer",
    "none",
    "--debug-assertions",
    "--no-trace-compares",
];

/// What each run is told besides its limit.
const OPTIONS: &[&str] = &[
    "-max_len=2048",
    "-timeout=10",
    "-rss_limit_mb=2048",
    "-print_final_stats=1",
    // What is more to look for in each input costs more than it finds.
    "-entropic=0",
    "-reduce_inputs=0",
];

/// How many run at a time: CI has two cores.
const AT_ONCE: usize = 2;

/// How long a run may take to begin and to end.
const GRACE: Duration = Duration::from_mins(1);

/// How many seconds can be asked for: none means to libFuzzer that there is no limit.
pub(crate) const SECONDS: RangeInclusive<u64> = 1..=86_400;
/// How many executions can be asked for: libFuzzer reads no greater number as itself.
pub(crate) const EXECUTIONS: RangeInclusive<u64> = 1..=0x7fff_ffff;

/// How long a target runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// So many seconds.
    Seconds(u64),
    /// So many executions, however long they take.
    Executions(u64),
}

/// Runs the targets of these names; all, if there is none. `false` when any breaks a law.
pub(crate) fn run(project: &Project, limit: Limit, names: &[String]) -> Result<bool> {
    let targets = chosen(project, names)?;
    if !run::cargo(project)
        .args(["fuzz", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?
        .success()
    {
        return Err("cargo-fuzz is missing: `cargo install cargo-fuzz --locked`".into());
    }
    let programs = build(project)?;
    let queue = Mutex::new(targets.iter());
    let (mut total, mut crashes) = (0, 0);
    let work = || {
        let mut done = Vec::new();
        loop {
            // In a statement of its own, so that the next one need not wait.
            let next = queue.lock().ok().and_then(|mut queue| queue.next());
            let Some(name) = next else { return done };
            let ended = one(project, &programs, name, limit).map_err(|error| error.to_string());
            if let Ok(ended) = &ended {
                println!("{}", ended.line(name, &programs.join(name)));
            }
            done.push(ended);
        }
    };
    let results: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect()
    });
    for result in results {
        for ended in result.map_err(|_| "a run was not looked after to its end")? {
            let ended = ended?;
            total += ended.executions;
            crashes += u64::from(ended.crash.is_some());
        }
    }
    println!(
        "fuzz targets={} executions={total} crashes={crashes}",
        targets.len()
    );
    Ok(crashes == 0)
}

/// The targets that there are, or those of them that are named.
fn chosen(project: &Project, names: &[String]) -> Result<Vec<String>> {
    let programs = format!("{DIR}/targets/");
    let all: Vec<String> = project
        .files_of("rs")
        .filter_map(|path| path.strip_prefix(&programs)?.strip_suffix(".rs"))
        .map(str::to_owned)
        .collect();
    match names.iter().find(|name| !all.contains(name)) {
        Some(name) => {
            Err(format!("there is no target {name}: name one of {}", all.join(", ")).into())
        }
        None if names.is_empty() => Ok(all),
        None => Ok(names.to_vec()),
    }
}

/// Builds all of them, and says where they are.
fn build(project: &Project) -> Result<PathBuf> {
    let host = run::output(Command::new("rustc").arg("-vV"))?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or("rustc doesn't say what it compiles for")?;
    let mut build = run::cargo(project);
    build.args(BUILD).args(["--target", host]);
    // Eight programs that are linked with one another's code would take longer to build than to run.
    build
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .stdout(Stdio::null());
    if !run::status(&mut build)?.success() {
        return Err("the targets could not be built; libFuzzer takes a C++ compiler".into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| project.root.join("target"), PathBuf::from);
    Ok(target.join(host).join("release"))
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    executions: u64,
    seconds: u64,
    crash: Option<Crash>,
}

/// A broken law.
#[derive(Debug, PartialEq, Eq)]
struct Crash {
    /// What was said of it.
    said: String,
    /// The input, if it was kept.
    input: Option<String>,
}

fn one(project: &Project, programs: &Path, name: &str, limit: Limit) -> Result<Ended> {
    // The fuzzer writes what it finds into its corpus: the tree is to stay as it is.
    let folder = tempfile::tempdir()?;
    let corpus = folder.path().join("corpus");
    fs::create_dir(&corpus)?;
    for entry in fs::read_dir(project.root.join(DIR).join("corpus").join(name))? {
        let entry = entry?;
        fs::copy(entry.path(), corpus.join(entry.file_name()))?;
    }
    let found = programs.join("fuzz");
    fs::create_dir_all(&found)?;
    let log = folder.path().join("log");
    let mut command = Command::new(programs.join(name));
    command.arg(&corpus).args(OPTIONS);
    command.arg(format!("-artifact_prefix={}/{name}-", found.display()));
    let dictionary = project.root.join(DIR).join("dictionaries").join(name);
    if dictionary.exists() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let most = match limit {
        Limit::Seconds(seconds) => {
            command.arg(format!("-max_total_time={seconds}"));
            Some(Duration::from_secs(seconds) + GRACE)
        }
        Limit::Executions(executions) => {
            command.arg(format!("-runs={executions}"));
            None
        }
    };
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?)
        .spawn()?;
    let status = wait(&mut child, most)?;
    let told = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    Ok(Ended::read(
        &told,
        status.is_some_and(|it| it.success()),
        begun.elapsed(),
    ))
}

/// Waits for the end, but no longer than that; then it is killed, and there is no status.
fn wait(child: &mut Child, most: Option<Duration>) -> Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if most.is_some_and(|most| begun.elapsed() > most) {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(100));
    }
}

impl Ended {
    /// Reads what libFuzzer wrote. A run that says nothing of its executions is not taken for a clean one.
    fn read(told: &str, succeeded: bool, took: Duration) -> Self {
        let number = |name: &str| {
            let line = told.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.trim().parse().ok())
        };
        let executions = number("stat::number_of_executed_units:");
        let clean = succeeded && executions.is_some_and(|executions| executions > 0);
        Self {
            executions: executions.unwrap_or(0),
            seconds: took.as_secs(),
            crash: (!clean).then(|| Crash::read(told)),
        }
    }

    fn line(&self, name: &str, program: &Path) -> String {
        let Self {
            executions,
            seconds,
            crash,
        } = self;
        let crashes = u8::from(crash.is_some());
        let mut line = format!(
            "fuzz target={name} executions={executions} crashes={crashes} seconds={seconds}"
        );
        if let Some(Crash { said, input }) = crash {
            line.push_str("\n  ");
            line.push_str(said);
            if let Some(input) = input {
                let again = [&program.display().to_string(), input.as_str()].join(" ");
                line.push_str("\n  again: ");
                line.push_str(&again);
            }
        }
        line
    }
}

impl Crash {
    fn read(told: &str) -> Self {
        let mut lines = told.lines();
        let panic = lines.by_ref().find(|line| line.contains("panicked at"));
        let law = panic.and_then(|place| Some(format!("{place} {}", lines.next()?)));
        let other = || {
            let mut lines = told.lines();
            let line = lines.find(|line| line.starts_with("==") && line.contains("ERROR"));
            line.unwrap_or("it ended without a word, or too late")
                .to_owned()
        };
        let input = told
            .lines()
            .find_map(|line| line.split_once("Test unit written to "));
        Self {
            said: law.unwrap_or_else(other),
            input: input.map(|(_, path)| path.trim().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    const CLEAN: &str = "#2\tINITED cov: 7\n#900\tDONE cov: 9\n\
        stat::number_of_executed_units: 900\nstat::average_exec_per_sec:     30\n";

    #[test]
    fn a_clean_run_is_one_line() {
        let ended = Ended::read(CLEAN, true, Duration::from_millis(30_900));
        assert_eq!(
            ended.line("config", Path::new("r/config")),
            "fuzz target=config executions=900 crashes=0 seconds=30"
        );
    }

    #[test]
    fn a_broken_law_says_what_and_how_to_see_it_again() {
        let told = "thread '<unnamed>' panicked at crates/fuzz/src/config.rs:7:9:\nnot so\n\
            ==1== ERROR: libFuzzer: deadly signal\nstat::number_of_executed_units: 12\n\
            artifact_prefix='t/'; Test unit written to t/config-crash-ab\nBase64: e30=\n";
        let ended = Ended::read(told, false, Duration::ZERO);
        let line = ended.line("config", Path::new("r/config"));
        for part in [
            "executions=12 crashes=1",
            "crates/fuzz/src/config.rs:7:9: not so",
            "again: r/config t/config-crash-ab",
        ] {
            assert!(line.contains(part), "{line}");
        }
    }

    #[test]
    fn a_run_that_says_nothing_is_not_clean() {
        for (told, succeeded) in [
            ("", true),
            (CLEAN, false),
            ("stat::number_of_executed_units: 0", true),
        ] {
            let ended = Ended::read(told, succeeded, Duration::ZERO);
            assert!(ended.crash.is_some(), "{told}");
        }
        let slow = Ended::read(
            "==9== ERROR: libFuzzer: timeout after 11 seconds\n",
            false,
            GRACE,
        );
        assert!(
            slow.line("x", Path::new("x")).contains("timeout after"),
            "{slow:?}"
        );
    }

    #[test]
    fn targets_are_found_by_their_programs_and_an_unknown_name_is_refused() {
        let sample = Sample::new()
            .member("fuzz", "")
            .file("crates/fuzz/targets/one.rs", "")
            .file("crates/fuzz/targets/two.rs", "")
            .file("crates/fuzz/src/three.rs", "");
        let project = sample.project();
        assert_eq!(chosen(&project, &[]).unwrap(), ["one", "two"]);
        assert_eq!(chosen(&project, &["two".to_owned()]).unwrap(), ["two"]);
        let error = chosen(&project, &["three".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("one, two"), "{error}");
    }

    #[test]
    fn a_run_that_does_not_end_is_ended() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        assert!(wait(&mut child, Some(Duration::ZERO)).unwrap().is_none());
        let mut child = Command::new("true").spawn().unwrap();
        assert!(wait(&mut child, None).unwrap().unwrap().success());
    }
}
