//! What a merchant's own books are held against: nothing missing, nothing of another day.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use recharge_engine::{Clock as _, SystemClock, WallTime};
use recharge_gateway::time;
use tokio::time::Instant;

use crate::stage::{ALL, Stage};

/// The day of that time in China.
fn day(at: WallTime) -> String {
    time::rfc3339(at)[..10].to_owned()
}

/// More than are read at once.
const MANY: u32 = 501;

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_and_a_count_have_all_of_their_time_and_nothing_else() {
    let stage = Stage::open().await;
    let key = stage.key("shop", ALL);
    let mut file = "order_id,kind,account,amount\n".to_owned();
    for at in 0..MANY {
        writeln!(file, "B{at},mobile,189{at:08},100").unwrap();
    }
    let now = SystemClock::new().now().wall;
    let taken = stage
        .call("POST", "/v1/batches", Some(&key), Some(&file))
        .await;
    let path = format!("/v1/batches/{}", taken.json()["batch_id"].as_str().unwrap());
    let give_up = Instant::now() + Duration::from_mins(1);
    while stage.call("GET", &path, Some(&key), None).await.json()["waiting"] != 0 {
        assert!(Instant::now() < give_up);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let far = Duration::from_hours(24);
    let (before, after) = (day(now.before(far)), day(now.after(far)));
    // It may be midnight while they are accepted.
    let mut seen = BTreeSet::new();
    for day in [day(now), after.clone()] {
        let path = format!("/v1/statements/{day}");
        let statement = stage.call("GET", &path, Some(&key), None).await;
        for row in statement.text.lines().skip(1) {
            let (order_id, _) = row.split_once(',').unwrap();
            assert!(seen.insert(order_id.to_owned()), "twice: {row}");
            assert!(row.contains(&format!(",{day}T")), "{day}: {row}");
        }
    }
    assert_eq!(seen.len(), usize::try_from(MANY).unwrap());
    let later = day(now.after(2 * far));
    for other in [&before, &later] {
        let path = format!("/v1/statements/{other}");
        let statement = stage.call("GET", &path, Some(&key), None).await;
        assert_eq!(statement.text.lines().count(), 1, "{other}");
    }
    for (query, many) in [
        (format!("from={before}&to={later}"), u64::from(MANY)),
        (format!("from={later}"), 0),
        (format!("from={before}&to={before}T01:00"), 0),
    ] {
        let path = format!("/v1/statistics?{query}");
        let counted = stage.call("GET", &path, Some(&key), None).await.json();
        let orders = counted["orders"].as_object().unwrap().values();
        let orders: u64 = orders.map(|many| many.as_u64().unwrap()).sum();
        assert_eq!(orders, many, "{query}");
        let path = format!("/v1/orders?limit=500&{query}");
        let listed = stage.call("GET", &path, Some(&key), None).await.json();
        let listed = listed["orders"].as_array().unwrap().len();
        assert_eq!(listed, usize::try_from(many.min(500)).unwrap(), "{query}");
    }
}
