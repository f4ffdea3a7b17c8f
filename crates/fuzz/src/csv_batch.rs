//! Files of orders: an input is a file.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use recharge_batch::{Row, read};
use recharge_core::{Carrier, MerchantId, ProviderId};

use crate::hidden::{bounded, same, twice};

thread_local! {
    static PROVIDERS: Vec<ProviderId> =
        ["juhe", "jisu"].into_iter().filter_map(|name| ProviderId::parse(name).ok()).collect();
}

/// Reads a file, and holds the orders that it gives against what is written in it.
///
/// # Panics
///
/// If a law is broken.
pub fn judge(data: &[u8]) {
    PROVIDERS.with(|providers| {
        let told = read(data, &MerchantId::local(), providers);
        if twice(data) {
            same(&told, &read(data, &MerchantId::local(), providers));
        }
        match told {
            Ok(rows) => {
                taken(data, &rows);
                // Each reads a file once more: one or the other will do.
                if data.len().is_multiple_of(2) {
                    again(&rows, providers);
                } else {
                    otherwise(data, &rows, providers);
                }
            }
            Err(bad) => {
                assert!(!bad.is_empty(), "refused, and nothing is wrong");
                for line in &bad {
                    let text = line.to_string();
                    // No value is repeated: a digit or two of a line's number, and no account.
                    assert!(longest_run(&text) < 7, "a complaint repeats a number");
                    bounded("a complaint", &text, 400);
                }
            }
        }
    });
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    // The accounts that explain how accounts are written.
    let examples = ["18900001234", "56565366", "12345678"];
    runs.filter(|run| !examples.contains(run))
        .map(str::len)
        .max()
        .unwrap_or(0)
}

/// Each order is one that is written there, once.
fn taken(data: &[u8], rows: &[Row]) {
    assert!(!rows.is_empty(), "nothing was read, and nothing is wrong");
    let ids: BTreeSet<_> = rows.iter().map(|row| &row.what.order_id).collect();
    assert_eq!(ids.len(), rows.len(), "two orders of one name");
    let (mut before, mut same) = (0, BTreeSet::new());
    for row in rows {
        assert!(row.line > before, "lines that don't rise");
        before = row.line;
        let first = same.insert((&row.what.account, row.what.amount));
        assert!(
            first || row.allow_duplicate,
            "a second order that nobody has allowed"
        );
    }
    // What has quotes may have commas in a value, and GB18030 spaces of its own.
    let text = match std::str::from_utf8(data) {
        Ok(text) if !data.contains(&b'"') => text,
        Ok(_) | Err(_) => return,
    };
    // Whoever turns a file into UTF-8 twice marks it twice.
    let text = text.trim_start_matches('\u{feff}');
    let lines = text.split(['\n', '\r']);
    let mut lines = lines.filter(|line| !values(line).all(str::is_empty));
    let header = lines.next().unwrap_or_default();
    let names: Vec<String> = values(header).map(str::to_lowercase).collect();
    let place = |name: &str| names.iter().position(|it| it == name);
    let mut rows = rows.iter();
    for line in lines {
        let Some(row) = rows.next() else {
            unreachable!("an order too few")
        };
        let values: Vec<&str> = values(line).collect();
        let of = |name: &str| {
            let value = place(name).and_then(|at| values.get(at));
            value.copied().unwrap_or_default()
        };
        let what = &row.what;
        assert_eq!(
            of("order_id"),
            what.order_id.as_str(),
            "another order's name"
        );
        assert_eq!(
            of("kind"),
            what.account.kind().as_str(),
            "another kind of account"
        );
        let plain = |b: &u8| *b != b'-';
        let (written, read) = (of("account").bytes(), what.account.as_str().bytes());
        assert!(
            written.filter(plain).eq(read.filter(plain)),
            "another account"
        );
        let amount = of("amount");
        let (yuan, places) = amount.split_once('.').unwrap_or((amount, ""));
        assert_eq!(yuan.parse(), Ok(what.amount.yuan()), "another amount");
        assert!(
            places.bytes().all(|b| b == b'0'),
            "a part of a yuan is lost"
        );
        let provider = what.provider.as_ref().map_or("", ProviderId::as_str);
        assert_eq!(of("provider"), provider, "another provider");
        let yes = ["true", "1", "yes"].contains(&of("allow_duplicate").to_lowercase().as_str());
        assert!(
            yes || !row.allow_duplicate || !of("allow_duplicate").is_ascii(),
            "not allowed"
        );
    }
    assert!(rows.next().is_none(), "an order too many");
}

/// The values of a line without quotes.
fn values(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(str::trim)
}

/// What was read, written down and read again, is the same.
fn again(rows: &[Row], providers: &[ProviderId]) {
    let mut file = "provider,allow_duplicate,carrier,amount,account,kind,order_id\n".to_owned();
    for row in rows {
        let what = &row.what;
        // Writing to a String can't fail.
        let _ = writeln!(
            file,
            "{},{},{},{}.00,{},{},\"{}\"",
            what.provider.as_ref().map_or("", ProviderId::as_str),
            if row.allow_duplicate { "yes" } else { "" },
            what.carrier.map_or("", Carrier::as_str),
            what.amount,
            what.account.as_str(),
            what.account.kind(),
            what.order_id.as_str().replace('"', "\"\""),
        );
    }
    let read = read(file.as_bytes(), &MerchantId::local(), providers);
    let Ok(read) = read else {
        unreachable!("what was accepted is refused")
    };
    assert_eq!(read.len(), rows.len(), "an order too many or too few");
    for (one, other) in rows.iter().zip(&read) {
        assert!(one.what == other.what, "read again, it is another order");
        assert_eq!(
            one.allow_duplicate, other.allow_duplicate,
            "read again, it is another order"
        );
    }
}

/// Other ends of lines, and a mark before it, make no difference.
fn otherwise(data: &[u8], rows: &[Row], providers: &[ProviderId]) {
    if data.contains(&b'\r') || data.contains(&b'"') || data.starts_with(b"\xef\xbb\xbf") {
        return;
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let file = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let read = read(file.as_bytes(), &MerchantId::local(), providers);
    assert!(
        read.is_ok_and(|read| read == rows),
        "with a mark and other line ends it is another file"
    );
}
