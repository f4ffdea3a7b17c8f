//! The order lifecycle: one pure step function, and an in-memory driver.
