//! Domain types of mobile, landline and broadband top-ups, and the Provider trait that every upstream adapter implements.
