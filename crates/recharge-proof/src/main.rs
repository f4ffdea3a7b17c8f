//! `recharge-proof`: what `cargo xtask simulate` runs.
use recharge_proof::*;
fn main() {
    let mut args = std::env::args().skip(1);
    let n: u64 = args.next().and_then(|a| a.parse().ok()).unwrap_or(100);
    let s: u64 = args.next().and_then(|a| a.parse().ok()).unwrap_or(1);
    let readable = args.next().is_some();
    let began = std::time::Instant::now();
    let (mut lives, mut polls, mut events, mut bad) = (0, 0, 0, 0);
    let mut cover = Cover::default();
    let mut seed = s;
    let mut by = std::collections::BTreeMap::new();
    while lives < n {
        let id = CaseId { seed, wanted: Wanted::default(), kept: None };
        let t = std::time::Instant::now();
        let out = play(id.clone(), readable);
        if t.elapsed().as_millis() > 1000 { println!("slow {seed} {:?} polls {} lives {}", t.elapsed(), out.polls, out.lives); }
        lives += out.lives; polls += out.polls; events += out.events;
        cover.add(&out.cover);
        for l in &out.lines { println!("{l}"); }
        if let Some(v) = out.violations.first() { bad += 1; *by.entry(v.invariant.0).or_insert(0) += 1; if bad < 60 { println!("{id}: {} -- {}", v.invariant.0, v.what); } }
        seed += 1;
    }
    let t = began.elapsed();
    println!("{lives} lives, {} cases, {polls} polls, {events} events, {bad} bad {by:?}, {t:?}, {:.0} lives/s, {:.0} polls/s", seed - s, lives as f64 / t.as_secs_f64(), polls as f64 / t.as_secs_f64());
    for l in cover.lines(true) { if l.starts_with("visited") { println!("{l}"); } } for l in cover.missing(1, true) { println!("missing {l}"); }
}
