//! `recharge sign` and `recharge verify`, as scripts use them.

use crate::common::{Recharge, recharge};

const SUBMIT: &str = "sign juhe-submit --openid JHdummyopenid --key dummykey --phone 18912345678 --amount 1 --order-id 111111111";
const TEL: &str = "--param outorderno=A1 --param tel=0571-56565366 --param amount=100 --param teltype=1 --param rechargetype=1";

/// Exactly the 32 digits and a line end, and nothing on standard error.
#[track_caller]
fn prints(run: Recharge, digits: &str) {
    let ended = run.run();
    assert_eq!(
        (ended.code, ended.out.as_str(), ended.err.as_str()),
        (0, format!("{digits}\n").as_str(), "")
    );
}

#[test]
fn every_signature_is_exactly_its_digits() {
    prints(recharge(SUBMIT), "96cde7a4bd897147c74c3b2f5302c500");
    prints(
        recharge("sign juhe-balance --openid JHdummyopenid --key dummykey --timestamp 1461309295"),
        "173d0cc168dc092d5d73eb321564dc2f",
    );
    prints(
        recharge("sign juhe-callback --key dummykey --upstream-id J1234 --order-id 567"),
        "875e488dc08795631ead0919cc3931ae",
    );
    prints(
        recharge(&format!("sign jisu --appsecret dummysecret {TEL}")),
        "844241f6ca913562f0ee3abed94ed1a7",
    );
}

#[test]
fn the_documented_table_signs_tel_in_the_place_of_mobile() {
    let table = recharge(&format!(
        "sign jisu --appsecret dummysecret --documented-table {TEL}"
    ));
    let as_mobile = TEL.replace("tel=", "mobile=");
    let sibling = recharge(&format!("sign jisu --appsecret dummysecret {as_mobile}")).run();
    assert_eq!(sibling.code, 0);
    prints(table, sibling.out.trim_end());
    assert_ne!(sibling.out, "844241f6ca913562f0ee3abed94ed1a7\n");
}

#[test]
fn parameters_are_given_one_by_one_or_together_in_any_order() {
    let together = "sign jisu --appsecret dummysecret --param rechargetype=1 amount=100 teltype=1 --param tel=0571-56565366 outorderno=A1 appkey=ignored sign=ignored";
    prints(recharge(together), "844241f6ca913562f0ee3abed94ed1a7");
}

#[test]
fn a_value_keeps_its_equals_signs_and_spaces() {
    let spaced = recharge("sign jisu --appsecret s --param").arg("a= b=c ");
    // By md5sum over " b=c s".
    prints(spaced, "3a7a61884e6af194fceb977842d9f744");
}

#[test]
fn parameters_that_cannot_be_signed_are_refused_without_repeating_them() {
    for (params, says) in [
        ("--param a=1 a=2", "more than once"),
        ("--param a=1 canaryvalue", "number 2 is not NAME=VALUE"),
        ("--param =canaryvalue", "number 1 is not NAME=VALUE"),
        ("", "--param"),
    ] {
        let ended = recharge(&format!("sign jisu --appsecret s {params}"))
            .run()
            .exits(2);
        ended.complains(says);
        assert!(
            ended.out.is_empty() && !ended.err.contains("canaryvalue"),
            "{ended:?}"
        );
    }
}

#[test]
fn explain_shows_every_stage_and_no_secret() {
    let ended = recharge(&format!("{SUBMIT} --explain")).run().exits(0);
    ended
        .says("phoneno=18912345678")
        .says("string to sign: ******189123456781111111111")
        .says("md5: 96cde7a4bd897147c74c3b2f5302c500");
    assert!(!ended.out.contains("dummy"), "{ended:?}");

    let json = recharge(&format!("{SUBMIT} --explain --json"))
        .run()
        .exits(0)
        .json();
    assert_eq!(json["sign"], "96cde7a4bd897147c74c3b2f5302c500");
    assert_eq!(json["string_to_sign"], "******189123456781111111111");
    assert_eq!(json["parameters"][0]["name"], "openid");
    assert_eq!(json["parameters"][0]["value"], "***");
    assert_eq!(json["parameters"][4]["value"], "111111111");
    let short = recharge(&format!("{SUBMIT} --json")).run().exits(0).json();
    assert_eq!(short.as_object().unwrap().len(), 1);
}

#[test]
fn each_secret_comes_from_the_environment_or_the_file_and_the_nearer_wins() {
    let line = "sign juhe-submit --phone 18912345678 --amount 1 --order-id 111111111";
    let file = "[juhe]\nopen_id = \"JHdummyopenid\"\napp_key = \"dummykey\"\n[jisu]\napp_secret = \"dummysecret\"\n";
    let digits = "96cde7a4bd897147c74c3b2f5302c500";
    let environment = recharge(line)
        .variable("RECHARGE_JUHE_APP_KEY", "dummykey")
        .variable("RECHARGE_JUHE_OPEN_ID", "JHdummyopenid");
    prints(environment, digits);
    prints(recharge(line).file("recharge.toml", file), digits);
    prints(
        recharge(line)
            .arg("--config")
            .arg("x.toml")
            .file("x.toml", file),
        digits,
    );
    let named = recharge(line).variable("RECHARGE_CONFIG", "x.toml");
    prints(named.file("x.toml", file), digits);

    let wrong = file.replace("dummykey", "wrongkey");
    let wins = recharge(line).variable("RECHARGE_JUHE_APP_KEY", "dummykey");
    prints(wins.file("recharge.toml", &wrong), digits);
    let wins = recharge(&format!("{line} --key dummykey"));
    let wins = wins.variable("RECHARGE_JUHE_APP_KEY", "wrongkey");
    prints(wins.file("recharge.toml", file), digits);

    let jisu = recharge(&format!("sign jisu {TEL}"));
    prints(
        jisu.variable("RECHARGE_JISU_APP_SECRET", "dummysecret"),
        "844241f6ca913562f0ee3abed94ed1a7",
    );
    let empty = recharge(&format!("sign jisu {TEL}")).variable("RECHARGE_JISU_APP_SECRET", "");
    prints(
        empty.file("recharge.toml", file),
        "844241f6ca913562f0ee3abed94ed1a7",
    );
}

#[test]
fn a_missing_secret_is_an_error_of_configuration_that_names_where_to_set_it() {
    let line = "sign juhe-callback --upstream-id J1 --order-id 1";
    let ended = recharge(line).run().exits(3);
    ended
        .complains("juhe.app_key is missing")
        .complains("RECHARGE_JUHE_APP_KEY");
    let error = recharge(&format!("{line} --json"))
        .run()
        .exits(3)
        .json_error();
    assert_eq!(error["kind"], "configuration");
}

#[test]
fn a_file_that_is_named_is_read_even_where_it_is_not_needed() {
    for line in [
        format!("{SUBMIT} --config missing.toml"),
        format!("--config missing.toml {SUBMIT}"),
        "verify juhe-callback --key k --config missing.toml".to_owned(),
    ] {
        recharge(&line).run().exits(3).complains("missing.toml");
    }
    // One that merely lies here is not.
    let ended = recharge(SUBMIT).file("recharge.toml", "not toml");
    prints(ended, "96cde7a4bd897147c74c3b2f5302c500");
}

const JUHE: &str = "sporder_id=J1234&orderid=567&sta=1&sign=875e488dc08795631ead0919cc3931ae";

#[test]
fn a_juhe_callback_is_genuine_or_not() {
    let line = "verify juhe-callback --key dummykey";
    for body in [
        JUHE.to_owned(),
        format!("{JUHE}\n"),
        format!("{JUHE}\r\n"),
        format!("err_msg=x&{JUHE}"),
        JUHE.replace(
            "875e488dc08795631ead0919cc3931ae",
            "875E488DC08795631EAD0919CC3931AE",
        ),
        JUHE.replace("J1234", "%4a1234"),
        // What the signature does not cover: another state, and another split of the numbers.
        JUHE.replace("sta=1", "sta=9"),
        JUHE.replace("J1234&orderid=567", "J123&orderid=4567"),
    ] {
        recharge(line)
            .input(body)
            .run()
            .exits(0)
            .says("genuine")
            .says("not signed: ask");
    }
    for body in [
        JUHE.replace("567", "568"),
        JUHE.replace("875e", "875f"),
        JUHE.replace("875e", ""),
        JUHE.replace("875e488dc08795631ead0919cc3931ae", "zz"),
        format!("{JUHE}\n\n"),
    ] {
        let ended = recharge(line).input(body).run().exits(1);
        assert_eq!(
            (ended.out.as_str(), ended.err.as_str()),
            ("not genuine\n", "")
        );
    }
    recharge("verify juhe-callback --key otherkey")
        .input(JUHE)
        .run()
        .exits(1);
}

#[test]
fn a_callback_in_json_says_what_is_covered() {
    let line = "verify juhe-callback --json";
    let run = || recharge(line).variable("RECHARGE_JUHE_APP_KEY", "dummykey");
    let json = run().input(JUHE).run().exits(0).json();
    assert_eq!(json["genuine"], true);
    assert_eq!(json["provider"], "juhe");
    assert_eq!(json["order_id"], "567");
    assert_eq!(json["upstream_id"], "J1234");
    assert_eq!(json["claims"], "succeeded");
    assert_eq!(json["covers_state"], false);
    let json = run()
        .input(JUHE.replace("567", "5678"))
        .run()
        .exits(1)
        .json();
    assert_eq!(json["genuine"], false);
    let error = run().input("").run().exits(2).json_error();
    assert_eq!(error["kind"], "usage");
}

#[test]
fn a_callback_that_cannot_be_judged_is_unusable() {
    let long = format!("{JUHE}&err_msg={}", "x".repeat(64 * 1024));
    for (body, says) in [
        (String::new(), "empty"),
        ("\n".to_owned(), "empty"),
        (
            format!("{JUHE}&sign=875e488dc08795631ead0919cc3931ae"),
            "more than once",
        ),
        (format!("{JUHE}&sta=9"), "more than once"),
        (format!("{JUHE}&%73ta=1"), "more than once"),
        (JUHE.replace("&sign=", "&sing="), "sign is missing"),
        (JUHE.replace("sporder_id", "x"), "sporder_id is missing"),
        (JUHE.replace("orderid=", "order="), "missing"),
        ("{\"sporder_id\": \"J1234\"}".to_owned(), "missing"),
        (long, "64 KiB"),
    ] {
        let ended = recharge("verify juhe-callback --key dummykey")
            .input(body)
            .run()
            .exits(2);
        assert!(ended.out.is_empty(), "{ended:?}");
        ended.complains(says);
    }
    // 64 KiB are still read.
    let most = 64 * 1024 - JUHE.len() - "&err_msg=".len();
    let most = format!("{JUHE}&err_msg={}", "x".repeat(most));
    recharge("verify juhe-callback --key dummykey")
        .input(most)
        .run()
        .exits(0);
}

#[test]
fn a_jisu_callback_is_genuine_or_not_and_covers_the_state() {
    let signed = |number: &str| {
        let fields = format!(
            "orderno=2016 outorderno={number} mobile=18912345678 rechargestatus=1 amount=10 totalfee=9.98"
        );
        let sign = recharge(&format!(
            "sign jisu --appsecret dummysecret --param {fields}"
        ));
        let sign = sign.run().exits(0);
        format!("{}&sign={}", fields.replace(' ', "&"), sign.out.trim_end())
    };
    let number = "RAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let body = signed(number);
    let line = "verify jisu-callback --appsecret dummysecret";
    recharge(line)
        .input(body.as_str())
        .run()
        .exits(0)
        .says("signed, yet it may be a replay");
    let json = recharge(&format!("{line} --json"))
        .input(body.as_str())
        .run()
        .exits(0)
        .json();
    assert_eq!(json["covers_state"], true);
    assert_eq!(json["order_id"], number);
    assert_eq!(json["claims"], "succeeded");
    // A number of another form may end anywhere, so the digit after it need not be the state.
    let json = recharge(&format!("{line} --json"))
        .input(signed("A1"))
        .run()
        .exits(0)
        .json();
    assert_eq!(json["covers_state"], false);
    let changed = body.replace("rechargestatus=1", "rechargestatus=2");
    recharge(line)
        .input(changed)
        .run()
        .exits(1)
        .says("not genuine");
    recharge(line)
        .input(format!("{body}&amount=10"))
        .run()
        .exits(2);
    recharge(line)
        .input(body.replace("&sign=", "&x="))
        .run()
        .exits(2)
        .complains("sign is missing");
    let environment =
        recharge("verify jisu-callback").variable("RECHARGE_JISU_APP_SECRET", "dummysecret");
    environment.input(body).run().exits(0);
}
