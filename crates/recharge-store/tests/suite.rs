//! The store suite on SQLite.

mod common;

mod sqlite {
    recharge_conformance::store_suite!(super::common::InFile::new());
}
