//! The exhaustive search alone: `search [threads] [seconds] [text in the names of parts] [first]`,
//! where `first` stops at the first violation.

use std::time::Duration;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |usual: u64| {
        let given = arguments.next();
        given.and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let threads = usize::try_from(number(2)).unwrap_or(2);
    let seconds = number(300);
    let wanted = arguments.next().unwrap_or_default();
    let first = arguments.next().is_some();
    let tell = |found: &recharge_proof::search::Found| {
        println!("{found}");
        if let Some(violation) = &found.violation {
            print!("{violation}");
            if first {
                std::process::exit(1);
            }
        }
    };
    let report =
        recharge_proof::search::run_some(threads, Duration::from_secs(seconds), &wanted, tell);
    if let Some(total) = report.to_string().lines().last() {
        println!("{total}");
    }
}
