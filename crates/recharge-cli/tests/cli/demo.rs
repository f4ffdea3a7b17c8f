//! `recharge demo`, as scripts read it.

use crate::common::recharge;

#[test]
fn the_verdict_in_json_adds_up() {
    let json = recharge("demo --orders 6 --json").run().exits(0).json();
    let number = |name: &str| json[name].as_u64().unwrap();
    assert_eq!(number("orders"), 6);
    assert_eq!(number("succeeded") + number("failed") + number("review"), 6);
    for harm in ["double_charges", "lost", "wrong_end", "faults_injected"] {
        assert_eq!(number(harm), 0, "{harm}");
    }
    assert_eq!(json.as_object().unwrap().len(), 8);
}
