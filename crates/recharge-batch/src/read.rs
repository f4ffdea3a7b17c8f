//! A file of orders, read and checked as a whole: either every row of it can be accepted, or each bad
//! line is named and nothing is.

use std::collections::HashMap;

use csv::StringRecord;
use recharge_core::{Account, FaceValue, MerchantId, OrderId, ProviderId};
use recharge_engine::NewOrder;

use super::bad::BadLine;
use super::columns::{Columns, REQUIRED};
use super::text::{self, Lines};
use super::value;

/// The most bytes of a file.
pub const BYTES_AT_MOST: u64 = 64 << 20;

/// The most rows of a file.
pub const ROWS_AT_MOST: usize = 500_000;

/// A row that can be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line that it begins on, from 1.
    pub line: u64,
    /// What is ordered.
    pub what: NewOrder,
    /// Whether a second order for the same account and face value is meant.
    pub allow_duplicate: bool,
}

/// Reads a merchant's whole file. `providers` are those that have an account.
pub fn read(
    bytes: &[u8],
    merchant: &MerchantId,
    providers: &[ProviderId],
) -> Result<Vec<Row>, Vec<BadLine>> {
    read_some(bytes, merchant, providers, ROWS_AT_MOST)
}

fn read_some(
    bytes: &[u8],
    merchant: &MerchantId,
    providers: &[ProviderId],
    most: usize,
) -> Result<Vec<Row>, Vec<BadLine>> {
    let text = text::decode(bytes).map_err(|bad| vec![bad])?;
    let mut records = Records::new(&text);
    let Some((line, header)) = records.next() else {
        let columns = REQUIRED.join(",");
        let text = format!("the file is empty: write a line {columns}, and a line for each order");
        return Err(vec![BadLine::of_file(text)]);
    };
    let columns = Columns::read(line, &header)?;
    let mut reading = Reading {
        columns,
        merchant,
        providers,
        rows: Vec::new(),
        bad: Vec::new(),
        ids: HashMap::new(),
        same: HashMap::new(),
    };
    for (line, record) in records {
        if reading.rows.len() >= most {
            let text = format!("a file has at most {most} orders: split it");
            reading.bad.push(BadLine::new(line, None, text));
            break;
        }
        reading.row(line, &record);
    }
    if reading.rows.is_empty() && reading.bad.is_empty() {
        let text = "the file has a header and no orders: write a line for each order";
        reading.bad.push(BadLine::of_file(text));
    }
    if reading.bad.is_empty() {
        Ok(reading.rows)
    } else {
        Err(reading.bad)
    }
}

/// The records of a text with the lines that they begin on; blank ones left out.
struct Records<'a> {
    text: &'a [u8],
    reader: csv::Reader<&'a [u8]>,
    lines: Lines,
}

impl<'a> Records<'a> {
    fn new(text: &'a str) -> Self {
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        Self {
            text: text.as_bytes(),
            reader,
            lines: Lines::default(),
        }
    }
}

impl Iterator for Records<'_> {
    type Item = (u64, StringRecord);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut record = StringRecord::new();
            // The text is in memory and valid, so there is no error to be told of.
            if !self.reader.read_record(&mut record).unwrap_or(false) {
                return None;
            }
            if record.iter().all(|value| value.trim().is_empty()) {
                continue;
            }
            // The position is that of the blank lines before it, if there are any.
            let byte = record.position().map_or(0, csv::Position::byte);
            let mut at = usize::try_from(byte).unwrap_or(usize::MAX);
            while matches!(self.text.get(at), Some(b'\n' | b'\r')) {
                at += 1;
            }
            return Some((self.lines.forward(self.text, at), record));
        }
    }
}

/// A file being read.
struct Reading<'a> {
    columns: Columns,
    merchant: &'a MerchantId,
    providers: &'a [ProviderId],
    rows: Vec<Row>,
    bad: Vec<BadLine>,
    /// The lines of the order ids so far.
    ids: HashMap<OrderId, u64>,
    /// The lines of the accounts and face values so far.
    same: HashMap<(Account, FaceValue), u64>,
}

impl Reading<'_> {
    fn row(&mut self, line: u64, record: &StringRecord) {
        let (has, wants) = (record.len(), self.columns.count());
        if record.iter().any(|value| value.contains(['\n', '\r'])) {
            let text = "a value goes over the end of its line: close its quote";
            self.bad.push(BadLine::new(line, None, text));
            return;
        }
        // Spreadsheets leave commas at the ends of lines.
        let spare = record
            .iter()
            .skip(wants)
            .any(|value| !value.trim().is_empty());
        if has < wants || spare {
            let text = format!("it has {has} values where the header has {wants} columns");
            self.bad.push(BadLine::new(line, None, text));
            return;
        }
        if let Some(row) = self.read(line, record) {
            self.rows.push(row);
        }
    }

    /// Reads all values, so that all that is wrong is told.
    fn read(&mut self, line: u64, record: &StringRecord) -> Option<Row> {
        let order_id = self.order_id(line, self.columns.value(record, "order_id"));
        let kind = self.value(line, record, "kind", value::kind);
        let amount = self.value(line, record, "amount", value::amount);
        let account = kind.and_then(|kind| {
            self.value(line, record, "account", |text| value::account(kind, text))
        });
        let carrier = self.value(line, record, "carrier", |text| {
            (!text.is_empty()).then(|| value::carrier(text)).transpose()
        });
        let allow = self.value(line, record, "allow_duplicate", value::yes_or_no);
        let providers = self.providers;
        let provider = self.value(line, record, "provider", |text| provider(text, providers));
        let (account, amount, allow_duplicate) = (account?, amount?, allow?);
        let mut what = NewOrder::new(self.merchant.clone(), order_id?, account.clone(), amount);
        what.carrier = carrier?;
        what.provider = provider?;
        let earlier = *self.same.entry((account, amount)).or_insert(line);
        if earlier != line && !allow_duplicate {
            let text = format!(
                "the same account and amount as on line {earlier}: take one of them out, or, if both are meant, write yes under allow_duplicate here"
            );
            self.bad.push(BadLine::new(line, Some("account"), text));
            return None;
        }
        Some(Row {
            line,
            what,
            allow_duplicate,
        })
    }

    fn order_id(&mut self, line: u64, text: &str) -> Option<OrderId> {
        let wrong = match OrderId::parse(text) {
            Err(error) => error.to_string(),
            Ok(id) => {
                let earlier = *self.ids.entry(id.clone()).or_insert(line);
                if earlier == line {
                    return Some(id);
                }
                format!("the same as on line {earlier}: each order has its own")
            }
        };
        self.bad.push(BadLine::new(line, Some("order_id"), wrong));
        None
    }

    fn value<T>(
        &mut self,
        line: u64,
        record: &StringRecord,
        column: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match read(self.columns.value(record, column)) {
            Ok(value) => Some(value),
            Err(text) => {
                self.bad.push(BadLine::new(line, Some(column), text));
                None
            }
        }
    }
}

fn provider(text: &str, known: &[ProviderId]) -> Result<Option<ProviderId>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let named = known.iter().find(|provider| provider.as_str() == text);
    named.cloned().map(Some).ok_or_else(|| {
        let known: Vec<&str> = known.iter().map(ProviderId::as_str).collect();
        if known.is_empty() {
            "no provider has an account: leave it empty, and set one up".to_owned()
        } else {
            format!("write {}, or leave it empty", known.join(" or "))
        }
    })
}

#[cfg(test)]
mod tests;
