//! The same seed gives the same trace, and every case can be named.

use std::num::NonZeroUsize;

use recharge_proof::{CaseError, CaseId, Plan, StoreKind, Wanted, Workers, live, play};

fn case(seed: u64) -> CaseId {
    CaseId {
        seed,
        wanted: Wanted::default(),
        kept: None,
    }
}

#[test]
fn the_same_seed_gives_the_same_trace_in_words_and_as_a_number() {
    let mut traces = Vec::new();
    for seed in 1..=25 {
        let (first, second) = (play(case(seed), true), play(case(seed), true));
        assert_eq!(first.lines, second.lines, "seed {seed}");
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert_eq!(first.trace, play(case(seed), false).trace, "read or not");
        assert_eq!(first.violations, [], "seed {seed}");
        assert!(first.lives > 0 && first.events > first.lives);
        traces.push(first.trace);
    }
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), 25, "other seeds, other traces");
}

#[test]
fn threads_change_nothing() {
    let plan = |threads| Plan {
        lives: 150,
        seed: 3,
        wanted: Wanted::default(),
        threads: NonZeroUsize::new(threads).unwrap(),
    };
    let (one, two) = (live(plan(1)), live(plan(2)));
    assert_eq!(
        (one.lives, one.trace, one.cases),
        (two.lives, two.trace, two.cases)
    );
    assert_eq!(one.cover, two.cover);
    assert!(one.lives >= 150);
}

#[test]
fn either_store_can_be_wanted() {
    let of = |store| {
        let wanted = Wanted {
            store: Some(store),
            workers: Workers::Two,
        };
        let plays = (1..=12).map(|seed| {
            play(
                CaseId {
                    wanted,
                    ..case(seed)
                },
                true,
            )
        });
        let lines: Vec<String> = plays.flat_map(|outcome| outcome.lines).collect();
        lines
    };
    let (file, database) = (of(StoreKind::Sqlite), of(StoreKind::Postgres));
    let hangs = |lines: &[String]| lines.iter().any(|line| line.contains("commit hanging"));
    let slot = |lines: &[String]| lines.iter().any(|line| line.contains("in slot 1"));
    assert!(
        !hangs(&file) && !slot(&file),
        "a file has one worker, and no commit of it hangs"
    );
    assert!(hangs(&database) && slot(&database));
}

#[test]
fn a_case_is_read_as_it_is_written() {
    for text in [
        "7",
        "7:",
        "7:0,3,12",
        "7@either/1",
        "7:1@sqlite/2",
        "7@postgres/1",
    ] {
        let read = CaseId::parse(text);
        assert_eq!(read.map(|id| id.to_string()).as_deref(), Ok(text));
    }
    for text in [
        "",
        "x",
        "7:x",
        "-1",
        "7:1;2",
        "7@",
        "7@sqlite",
        "7@mysql/1",
        "7@sqlite/3",
    ] {
        assert_eq!(CaseId::parse(text), Err(CaseError::Form), "{text}");
    }
}

#[test]
fn what_was_wanted_is_in_the_name_of_a_case() {
    let differs = |store, workers| {
        let wanted = Wanted { store, workers };
        (1..=6).any(|seed| {
            let id = CaseId {
                wanted,
                ..case(seed)
            };
            let again = CaseId::parse(&id.to_string()).unwrap();
            let trace = play(id, false).trace;
            assert_eq!(play(again, false).trace, trace, "seed {seed}");
            play(case(seed), false).trace != trace
        })
    };
    assert!(differs(Some(StoreKind::Sqlite), Workers::Two));
    assert!(differs(None, Workers::One));
}

#[test]
fn a_case_with_nothing_to_play_is_refused() {
    let check = |text: &str| CaseId::parse(text).unwrap().check();
    assert_eq!(check("7"), Ok(()));
    assert_eq!(check("7:0"), Ok(()));
    assert_eq!(check("7:"), Err(CaseError::NoOrder));
    let error = check("7:0,9999").unwrap_err();
    assert!(matches!(error, CaseError::NoPart { part: 9999, .. }));
    let CaseError::NoPart { parts, .. } = error else {
        unreachable!("just looked at")
    };
    assert_eq!(check(&format!("7:0,{}", parts - 1)), Ok(()));
    let error = check(&format!("7:0,{parts}")).unwrap_err();
    assert_eq!(error, CaseError::NoPart { part: parts, parts });
}

#[test]
fn what_is_left_out_of_a_case_doesnt_happen() {
    let whole = play(case(5), true);
    let bare = CaseId {
        kept: Some([0].into_iter().collect()),
        ..case(5)
    };
    let one = play(bare, true);
    assert_eq!(one.lives, 1);
    assert!(one.lines.len() < whole.lines.len());
    assert!(one.lines.iter().all(|line| !line.contains("act: ")));
}
