//! The documented paths and what each is for.

use crate::config::Upstream;
use crate::faults::Stage;

/// What a path does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    JuheSubmit,
    JuheStatus,
    JuheTelcheck,
    JuheTelquery,
    JuheYue,
    JuheOrderlist,
    JisuRecharge(JisuLine),
    JisuOrderdetail(JisuLine),
    JisuOrderlist(JisuLine),
    JisuGoods(JisuLine),
}

/// Which of Jisu's two products a path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JisuLine {
    Mobile,
    Tel,
}

/// Every path that is served.
pub(crate) const PATHS: &[(&str, Call)] = &[
    ("/ofpay/mobile/onlineorder", Call::JuheSubmit),
    ("/ofpay/mobile/ordersta", Call::JuheStatus),
    ("/ofpay/mobile/telcheck", Call::JuheTelcheck),
    ("/ofpay/mobile/telquery", Call::JuheTelquery),
    ("/ofpay/mobile/yue", Call::JuheYue),
    ("/ofpay/mobile/orderlist", Call::JuheOrderlist),
    ("/telrecharge/recharge", Call::JisuRecharge(JisuLine::Tel)),
    (
        "/telrecharge/orderdetail",
        Call::JisuOrderdetail(JisuLine::Tel),
    ),
    ("/telrecharge/orderlist", Call::JisuOrderlist(JisuLine::Tel)),
    // The real name is not known (see `WorldConfig::aliases`).
    ("/telrecharge/goods", Call::JisuGoods(JisuLine::Tel)),
    (
        "/mobilerecharge/recharge",
        Call::JisuRecharge(JisuLine::Mobile),
    ),
    (
        "/mobilerecharge/orderdetail",
        Call::JisuOrderdetail(JisuLine::Mobile),
    ),
    (
        "/mobilerecharge/orderlist",
        Call::JisuOrderlist(JisuLine::Mobile),
    ),
    ("/mobilerecharge/goods", Call::JisuGoods(JisuLine::Mobile)),
];

impl Call {
    /// The call of a path; repeated slashes count as one, as web servers have it, because clients
    /// glue a base URL that ends in a slash to a path that begins with one.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let path = squeeze(path);
        PATHS
            .iter()
            .find(|(known, _)| *known == path)
            .map(|(_, call)| *call)
    }

    pub(crate) fn upstream(self) -> Upstream {
        match self {
            Self::JuheSubmit
            | Self::JuheStatus
            | Self::JuheTelcheck
            | Self::JuheTelquery
            | Self::JuheYue
            | Self::JuheOrderlist => Upstream::Juhe,
            Self::JisuRecharge(_)
            | Self::JisuOrderdetail(_)
            | Self::JisuOrderlist(_)
            | Self::JisuGoods(_) => Upstream::Jisu,
        }
    }

    pub(crate) fn stage(self) -> Stage {
        match self {
            Self::JuheSubmit | Self::JisuRecharge(_) => Stage::Submit,
            Self::JuheStatus | Self::JisuOrderdetail(_) => Stage::Query,
            Self::JuheTelcheck
            | Self::JuheTelquery
            | Self::JuheYue
            | Self::JuheOrderlist
            | Self::JisuOrderlist(_)
            | Self::JisuGoods(_) => Stage::Read,
        }
    }
}

/// One slash where there are several.
pub(crate) fn squeeze(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !out.ends_with('/') {
            out.push(c);
        }
    }
    out
}
