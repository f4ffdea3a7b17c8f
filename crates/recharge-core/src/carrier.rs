//! Carriers, and a hint at the carrier by a mobile number's segment.

use std::fmt;

/// Who runs the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// 中国移动 China Mobile.
    Mobile,
    /// 中国联通 China Unicom.
    Unicom,
    /// 中国电信 China Telecom.
    Telecom,
    /// 中国铁通 China Tietong, fixed lines only.
    Tietong,
    /// 中国广电 China Broadnet.
    Broadnet,
}

impl Carrier {
    /// Every carrier.
    pub const ALL: [Self; 5] = [
        Self::Mobile,
        Self::Unicom,
        Self::Telecom,
        Self::Tietong,
        Self::Broadnet,
    ];

    /// The name in configuration, files and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Unicom => "unicom",
            Self::Telecom => "telecom",
            Self::Tietong => "tietong",
            Self::Broadnet => "broadnet",
        }
    }

    /// The name in Chinese, without 中国.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Mobile => "移动",
            Self::Unicom => "联通",
            Self::Telecom => "电信",
            Self::Tietong => "铁通",
            Self::Broadnet => "广电",
        }
    }

    /// The carrier of that [`as_str`](Self::as_str) name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|carrier| carrier.as_str() == text)
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a mobile number's first digits say about its carrier. **A hint only**: numbers may be ported
/// to another carrier (携号转网) and keep their digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CarrierHint {
    /// The network the segment was given to.
    pub carrier: Carrier,
    /// Whether the segment is resold by virtual operators (虚拟运营商) on that network.
    pub virtual_operator: bool,
}

/// A block of number segments: the digits that numbers begin with, and what they hint at.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    /// The leading digits: three or four, as allocated.
    pub prefix: &'static str,
    /// What they hint at.
    pub hint: CarrierHint,
}

const fn own(prefix: &'static str, carrier: Carrier) -> Segment {
    Segment {
        prefix,
        hint: CarrierHint {
            carrier,
            virtual_operator: false,
        },
    }
}

const fn resold(prefix: &'static str, carrier: Carrier) -> Segment {
    Segment {
        prefix,
        hint: CarrierHint {
            carrier,
            virtual_operator: true,
        },
    }
}

/// Mobile number segments and the network each was allocated to.
///
/// Source: the public segment allocations of the Ministry of Industry and Information Technology
/// (工业和信息化部, 电信网码号资源), as commonly published; neither upstream documents a table of its
/// own. Where a three-digit segment is divided, the four-digit rows win.
pub const SEGMENTS: &[Segment] = &{
    use Carrier::{Broadnet, Mobile, Telecom, Unicom};
    [
        own("130", Unicom),
        own("131", Unicom),
        own("132", Unicom),
        own("133", Telecom),
        own("134", Mobile),
        own("1349", Telecom), // satellite, 卫星通信
        own("135", Mobile),
        own("136", Mobile),
        own("137", Mobile),
        own("138", Mobile),
        own("139", Mobile),
        own("145", Unicom),
        own("146", Unicom),
        own("147", Mobile),
        own("148", Mobile),
        own("149", Telecom),
        own("150", Mobile),
        own("151", Mobile),
        own("152", Mobile),
        own("153", Telecom),
        own("155", Unicom),
        own("156", Unicom),
        own("157", Mobile),
        own("158", Mobile),
        own("159", Mobile),
        resold("162", Telecom),
        resold("165", Mobile),
        own("166", Unicom),
        resold("167", Unicom),
        resold("1700", Telecom),
        resold("1701", Telecom),
        resold("1702", Telecom),
        resold("1703", Mobile),
        resold("1704", Unicom),
        resold("1705", Mobile),
        resold("1706", Mobile),
        resold("1707", Unicom),
        resold("1708", Unicom),
        resold("1709", Unicom),
        resold("171", Unicom),
        own("172", Mobile),
        own("173", Telecom),
        own("174", Telecom),
        own("175", Unicom),
        own("176", Unicom),
        own("177", Telecom),
        own("178", Mobile),
        own("180", Telecom),
        own("181", Telecom),
        own("182", Mobile),
        own("183", Mobile),
        own("184", Mobile),
        own("185", Unicom),
        own("186", Unicom),
        own("187", Mobile),
        own("188", Mobile),
        own("189", Telecom),
        own("190", Telecom),
        own("191", Telecom),
        own("192", Broadnet),
        own("193", Telecom),
        own("195", Mobile),
        own("196", Unicom),
        own("197", Mobile),
        own("198", Mobile),
        own("199", Telecom),
    ]
};

impl CarrierHint {
    /// The hint for a mobile number, by the longest segment it begins with; `None` for a segment that
    /// the table doesn't have.
    ///
    /// ```
    /// use recharge_core::{Carrier, CarrierHint};
    /// let hint = CarrierHint::for_mobile("19200001234").unwrap();
    /// assert_eq!(hint.carrier, Carrier::Broadnet);
    /// assert!(CarrierHint::for_mobile("17050001234").unwrap().virtual_operator);
    /// ```
    pub fn for_mobile(number: &str) -> Option<Self> {
        SEGMENTS
            .iter()
            .filter(|segment| number.starts_with(segment.prefix))
            .max_by_key(|segment| segment.prefix.len())
            .map(|segment| segment.hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_without_repeats_and_well_formed() {
        assert!(
            SEGMENTS
                .windows(2)
                .all(|pair| pair[0].prefix < pair[1].prefix)
        );
        for Segment { prefix, .. } in SEGMENTS {
            assert!(
                (3..=4).contains(&prefix.len()) && prefix.starts_with('1'),
                "{prefix}"
            );
        }
    }

    #[test]
    fn a_divided_segment_goes_by_its_fourth_digit() {
        let carrier = |number| CarrierHint::for_mobile(number).map(|hint| hint.carrier);
        assert_eq!(carrier("13490001234"), Some(Carrier::Telecom));
        assert_eq!(carrier("13480001234"), Some(Carrier::Mobile));
        assert_eq!(carrier("17040001234"), Some(Carrier::Unicom));
        assert_eq!(carrier("17030001234"), Some(Carrier::Mobile));
        assert_eq!(carrier("14000001234"), None);
    }

    #[test]
    fn names_are_read_back() {
        for carrier in Carrier::ALL {
            assert_eq!(Carrier::parse(&carrier.to_string()), Some(carrier));
        }
        assert_eq!(Carrier::parse("Mobile"), None);
        let chinese = ["移动", "联通", "电信", "铁通", "广电"];
        assert_eq!(Carrier::ALL.map(Carrier::chinese), chinese);
    }
}
