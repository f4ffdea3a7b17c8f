//! The Transport trait, its reqwest and hyper implementations, and the lenient reading of upstream answers.
