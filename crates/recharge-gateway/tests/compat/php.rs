//! A shop's PHP program, against the original and against the gateway, with nothing changed but two addresses
//! and the keys. It takes PHP with curl: Debian's php-cli and php-curl.

use std::process::Stdio;

use crate::bench::{Bench, Place};

async fn shop(place: &Place) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/php/shop.php");
    let output = tokio::process::Command::new("php")
        .args(["-d", "display_errors=stderr", script])
        .args([&place.juhe_url, place.juhe.key, place.juhe.secret])
        .args([&place.jisu_url, place.jisu.key, place.jisu.secret])
        .stdin(Stdio::null())
        .output()
        .await
        .expect("there is no `php` here: install php-cli and php-curl");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.is_empty(),
        "php: {errors}"
    );
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_php_shop_changes_its_addresses_and_keys_and_nothing_else() {
    let (one, two) = (Bench::start().await, Bench::start().await);
    let (one_place, two_place) = (one.original(), two.ours());
    let (original, ours) = tokio::join!(shop(&one_place), shop(&two_place));
    assert_eq!(ours, original);
    for line in [
        "game_state 1",
        "rechargestatus 1",
        "code 208516",
        "code 212",
    ] {
        assert!(ours.contains(line), "{line} in {ours}");
    }
}
