//! Adapter for Jisu (极速数据) landline, broadband and mobile recharge.
