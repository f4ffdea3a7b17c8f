//! What is sold: names, prices and regions in the style of the documented samples.

use recharge_core::{Carrier, CarrierHint, Money};

/// A product, as it is sold for one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Goods {
    /// The product's number.
    pub(crate) card_id: u32,
    /// Such as `江苏电信话费1元`.
    pub(crate) name: String,
    /// Such as `浙江杭州移动`.
    pub(crate) area: String,
    /// Jisu's number of the province.
    pub(crate) area_id: u32,
    /// Such as `移动`.
    pub(crate) company: &'static str,
    /// What it costs the merchant.
    pub(crate) price: Money,
}

/// Province, city, area code, Jisu's province number (made up).
const REGIONS: &[(&str, &str, &str, u32)] = &[
    ("北京", "", "010", 1),
    ("上海", "", "021", 2),
    ("江苏", "南京", "025", 10),
    ("江苏", "苏州", "0512", 10),
    ("浙江", "杭州", "0571", 11),
    ("浙江", "宁波", "0574", 11),
    ("广东", "广州", "020", 19),
    ("广东", "深圳", "0755", 19),
    ("四川", "成都", "028", 22),
    ("湖北", "武汉", "027", 17),
    ("山东", "济南", "0531", 15),
];

/// The goods for a mobile number. The carrier is read off the number's segment; which region has the
/// number is drawn from its first seven digits, since the real allocation is not public.
pub(crate) fn mobile(number: &str, face: u32) -> Goods {
    let carrier = CarrierHint::for_mobile(number).map(|hint| hint.carrier);
    let block: usize = number
        .bytes()
        .take(7)
        .fold(0, |sum, byte| (sum * 10 + usize::from(byte)) % 9_973);
    let (province, city, _, area_id) = REGIONS
        .get(block % REGIONS.len())
        .copied()
        .unwrap_or_default();
    goods(province, city, area_id, carrier, "话费", face)
}

/// The goods for a landline or broadband account. The region is that of its area code, where it has
/// one of the table.
pub(crate) fn line(account: &str, carrier: Carrier, service: &str, face: u32) -> Goods {
    let (province, city, _, area_id) = REGIONS
        .iter()
        .find(|(_, _, code, _)| account.starts_with(code))
        .copied()
        .unwrap_or(("全国", "", "", 0));
    goods(province, city, area_id, Some(carrier), service, face)
}

fn goods(
    province: &str,
    city: &str,
    area_id: u32,
    carrier: Option<Carrier>,
    service: &str,
    face: u32,
) -> Goods {
    let company = carrier.map_or("", Carrier::chinese);
    let rank = carrier.map_or(0, |carrier| {
        Carrier::ALL
            .iter()
            .zip(1..)
            .find(|(known, _)| **known == carrier)
            .map_or(0, |(_, rank)| rank)
    });
    Goods {
        card_id: 10_000 + area_id * 50 + rank * 8 + face.checked_ilog2().unwrap_or_default() % 8,
        name: format!("{province}{company}{service}{face}元"),
        area: format!("{province}{city}{company}"),
        area_id,
        company,
        price: price(face),
    }
}

/// Juhe's samples sell 1 yuan for 1.06 and 10 for 10.20, Jisu's 100 for 99.65: small face values cost
/// more than they are worth, large ones less.
fn price(face: u32) -> Money {
    let face = u64::from(face);
    let thousandths = match face {
        0..=5 => face * 1_060,
        6..=30 => face * 1_020,
        _ => face * 9_965 / 10,
    };
    // A face value of 32 bits can't come near it.
    Money::from_thousandths(thousandths).unwrap_or(Money::MAX)
}

/// Three places, as in `"1.060"`.
pub(crate) fn three_places(amount: Money) -> String {
    let amount = amount.thousandths();
    format!("{}.{:03}", amount / 1000, amount % 1000)
}

/// No more places than needed, as a JSON number is written: `1.06`, `10.2`, `100`.
pub(crate) fn shortest(amount: Money) -> String {
    let text = three_places(amount);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_of_the_samples() {
        let text = |face| three_places(price(face));
        assert_eq!(
            (text(1), text(10), text(100)),
            ("1.060".into(), "10.200".into(), "99.650".into())
        );
        assert_eq!(shortest(price(10)), "10.2");
        assert_eq!(shortest(Money::from_thousandths(100_000).unwrap()), "100");
        assert_eq!(shortest(Money::ZERO), "0");
    }

    #[test]
    fn names_follow_the_carrier_of_the_segment_and_the_area_code() {
        assert!(mobile("18900001234", 1).name.ends_with("电信话费1元"));
        assert!(mobile("19200001234", 10).name.ends_with("广电话费10元"));
        let sample = line("0571-56565366", Carrier::Unicom, "固话", 100);
        assert_eq!(
            (sample.name.as_str(), sample.area.as_str()),
            ("浙江联通固话100元", "浙江杭州联通")
        );
    }
}
