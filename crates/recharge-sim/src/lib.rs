//! Simulator of the Juhe and Jisu upstreams, with a ledger of what was really charged and injectable faults.
