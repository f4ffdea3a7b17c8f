//! Adapter for Juhe (聚合数据) mobile recharge.
