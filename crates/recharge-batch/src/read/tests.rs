//! Files as spreadsheets write them, good and bad.

use proptest::prelude::*;
use recharge_core::{AccountKind, Carrier};

use super::*;

const HEAD: &str = "order_id,kind,account,amount\n";

fn known() -> Vec<ProviderId> {
    ["juhe", "jisu"]
        .map(|name| ProviderId::parse(name).unwrap())
        .to_vec()
}

fn good(bytes: impl AsRef<[u8]>) -> Vec<Row> {
    read(bytes.as_ref(), &MerchantId::local(), &known()).unwrap()
}

/// What is said of each bad line.
fn bad(bytes: impl AsRef<[u8]>) -> Vec<String> {
    let bad = read(bytes.as_ref(), &MerchantId::local(), &known()).unwrap_err();
    bad.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn says(bytes: impl AsRef<[u8]>, place: &str, text: &str) {
    let told = bad(bytes);
    let [told] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(told.starts_with(place) && told.contains(text), "{told}");
}

#[test]
fn a_file_is_read_in_any_order_of_its_columns() {
    let rows = good(
        "carrier,Amount, account ,order_id,kind,provider,allow_duplicate\n\
         ,100.00,18900001234,A1,mobile,,\n\
         联通, 20 ,057156565366,A2,landline,jisu,是\n",
    );
    let [one, two] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!((one.line, two.line), (2, 3));
    assert_eq!(one.what.account.as_str(), "18900001234");
    assert_eq!(one.what.amount.yuan(), 100);
    assert_eq!((one.what.carrier, &one.what.provider), (None, &None));
    assert!(!one.allow_duplicate && two.allow_duplicate);
    assert_eq!(two.what.account.as_str(), "0571-56565366");
    assert_eq!(two.what.account.kind(), AccountKind::Landline);
    assert_eq!(two.what.carrier, Some(Carrier::Unicom));
    assert_eq!(two.what.provider, ProviderId::parse("jisu").ok());
    assert_eq!(two.what.merchant, MerchantId::local());
}

#[test]
fn line_ends_quotes_blank_lines_and_trailing_commas_change_nothing() {
    let plain = good(format!(
        "{HEAD}A1,mobile,18900001234,10\nA2,mobile,18900001235,10"
    ));
    for same in [
        format!("{HEAD}A1,mobile,18900001234,10\nA2,mobile,18900001235,10\n").replace('\n', "\r\n"),
        format!("{HEAD}A1,mobile,18900001234,10\nA2,mobile,18900001235,10").replace('\n', "\r"),
        format!("{HEAD}\"A1\",\"mobile\",\"18900001234\",\"10\"\nA2,mobile,18900001235,10,,\n\n"),
        format!("\u{feff}{HEAD}A1,mobile,18900001234,10\nA2,mobile,18900001235,10\n,,,\n"),
    ] {
        assert_eq!(good(&same), plain, "{same:?}");
    }
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("{HEAD}\n\nA1,mobile,18900001234,10\n \n\nA2,mobile,1,10\n");
        let told = bad(text.replace('\n', end));
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("line 7, account: "), "{end:?} {told:?}");
    }
}

#[test]
fn gb18030_is_recognised_and_other_encodings_are_named() {
    let text = format!(
        "{}carrier\nA1,landline,0571-56565366,100,电信\n",
        HEAD.replace('\n', ",")
    );
    let (bytes, _, lossy) = encoding_rs::GB18030.encode(&text);
    assert!(!lossy && std::str::from_utf8(&bytes).is_err());
    assert_eq!(good(&bytes), good(&text));
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    says(
        [b"\xff\xfe", wide.as_slice()].concat(),
        "the file is UTF-16",
        "CSV UTF-8",
    );
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    says(
        [b"\xfe\xff", big.as_slice()].concat(),
        "the file is UTF-16",
        "CSV UTF-8",
    );
    says(wide, "line 1: a NUL byte", "UTF-16");
    says(b"PK\x03\x04rest", "the file is a spreadsheet", "CSV UTF-8");
    says(
        [HEAD.as_bytes(), b"A1,\xff\xff"].concat(),
        "line 2: neither UTF-8",
        "CSV UTF-8",
    );
    says(
        [b"\xef\xbb\xbf", &bytes[..]].concat(),
        "line 2: neither UTF-8",
        "CSV UTF-8",
    );
    says(
        format!("{HEAD}A1,mobile,18900001234\0,10"),
        "line 2: a NUL byte",
        "damaged",
    );
}

#[test]
fn a_file_without_orders_is_refused() {
    for empty in ["", "\n\n", "\u{feff}", " , \n"] {
        says(empty, "the file is empty", "order_id,kind,account,amount");
    }
    says(HEAD, "the file has a header and no orders", "");
}

/// A damaged file may be one line. Compared with the columns letter by letter, this one would take gigabytes.
#[test]
fn a_column_s_name_of_many_megabytes_is_refused_without_a_comparison() {
    let long = "a".repeat(30 << 20);
    says(
        format!("order_id,kind,account,amount,{long}\n"),
        "line 1: ",
        "column 5 has a name that no column has",
    );
}

#[test]
fn a_header_that_can_not_be_used_is_told_what_it_lacks() {
    says(
        "order_id,kind,account\n",
        "line 1: the header lacks amount",
        "",
    );
    says(
        "A1,mobile,18900001234,10\n",
        "line 1: the first line names no column",
        "order_id,kind",
    );
    says(
        "order_id;kind;account;amount\n",
        "line 1: the values are not separated by commas",
        "",
    );
    says(
        "order_id,kind,account,amount,acount\n",
        "line 1: there is no column acount",
        "did you mean account?",
    );
    says(
        "order_id,kind,account,amount,备注\n",
        "line 1: there is no column 备注",
        "",
    );
    says(
        "order_id,kind,account,amount,18900001234\n",
        "line 1: column 5 has a name",
        "",
    );
    says(
        "order_id,kind,account,amount,\nA,mobile,18900001234,1,x",
        "line 1: column 5 has no name",
        "",
    );
    says(
        "order_id,kind,account,amount,kind\n",
        "line 1, kind: the column stands there twice",
        "",
    );
}

#[test]
fn every_bad_line_is_named_and_no_account_is_shown() {
    let told = bad(format!(
        "{},carrier,allow_duplicate,provider\n\
         A1,mobile,1.38E+10,100,,,\n\
         A2,phone,13312341234,100,,,\n\
         A3,mobile,133123412345,99.5,vodafone,maybe,alipay\n\
         A 4,mobile,13312341234,100,,,\n\
         A5,mobile,13312341235,100\n\
         A6,mobile,13312341236,100,,,,x\n\
         A1,mobile,13312341237,100,,,\n\
         A8,mobile,\"13312341238\n13312341239\",100,,,\n\
         A9,mobile,13312341240,100,,,\n\
         B1,mobile,13312341240,100.0,,,\n\
         B2,mobile,13312341240,100,,yes,\n",
        HEAD.trim()
    ));
    insta::assert_snapshot!(told.join("\n"));
    assert!(
        !told.iter().any(|line| line.contains("1331234")),
        "{told:?}"
    );
}

#[test]
fn an_open_quote_does_not_swallow_the_rest_in_silence() {
    says(
        format!("{HEAD}A1,mobile,\"18900001234,10\nA2,mobile,18900001235,10\n"),
        "line 2: a value goes over the end of its line",
        "close its quote",
    );
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let text = format!("{HEAD}A1,mobile,18900001234,10\nA2,mobile,18900001235,10\n");
    assert!(read_some(text.as_bytes(), &MerchantId::local(), &known(), 2).is_ok());
    let bad = read_some(text.as_bytes(), &MerchantId::local(), &known(), 1).unwrap_err();
    assert_eq!(
        bad[0].to_string(),
        "line 3: a file has at most 1 orders: split it"
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = read(&bytes, &MerchantId::local(), &known());
        let _ = read(&[HEAD.as_bytes(), &bytes].concat(), &MerchantId::local(), &known());
    }

    #[test]
    fn any_text_after_the_header_is_read_or_refused_without_showing_a_number(
        text in "([,\"\n\r 是A0.E+]|mobile|13312345678){0,60}"
    ) {
        if let Err(bad) = read(format!("{HEAD}{text}").as_bytes(), &MerchantId::local(), &known()) {
            for line in bad {
                prop_assert!(!line.to_string().contains("13312345678"));
            }
        }
    }
}
